"""A person is put through every feature, erased, and searched for in every table and file."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.importing.load import Options, load
from telealarm.models import (
    ALL,
    Alarm,
    AlarmRequest,
    CallRequest,
    Erasure,
    Event,
    InboundSms,
    Message,
    Section,
    SmsGateway,
    SurveyResult,
    Timeline,
    Transfer,
    WebhookDelivery,
)
from telealarm.retention.eraser import Eraser
from telealarm.store import audit, do_not_call
from telealarm.store.engine.database import Database
from telealarm.store.engine.timeline import record
from telealarm.store.person import erasures
from telealarm.store.person.erasures import PersonFiles
from telealarm.store.person.ledger import Ledger
from telealarm.survey.tts.cache import Cache
from telealarm.words import AlarmStatus, CallStatus, MessageStatus
from tests.integration.api_client import Api, Clinic, clinic, gateways, id_of, tone

NAME, MAIL, TEXT = "Zebulon Quagmire", "zebulon@quagmire.example", "pelican allergy"
NUMBER, NATIONAL = "+34600100777", "600 100 777"
# What must not be anywhere afterwards, in lower case.
NEEDLES = ("zebulon", "quagmire", "pelican", "600100777", "600 100 777", "600-100-777")
OTHER = "+34600100888"


@dataclass
class Patient:
    """The person's rows, and what of them is counted."""

    api: Api
    ready: Clinic
    files: PersonFiles
    links: dict[str, str] = field(default_factory=dict)


def needles(text: str) -> list[str]:
    return [needle for needle in NEEDLES if needle in text.lower()]


def in_tables() -> Iterator[str]:
    """Every value of every column that has one of the needles."""
    for model in ALL:
        for row in model.select():
            for name, value in row.__data__.items():
                if needles(str(value)):
                    yield f"{model.__name__} {row.__data__.get('id')}.{name}: {value}"


def in_files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (found := needles(path.read_bytes().decode("latin-1"))):
            yield f"{path.relative_to(folder)}: {found}"


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    """The folders of the service lie within the test's folder."""
    return config.model_copy(update={"base": tmp_path / "etc"})


@pytest.fixture
def files(config: Config, tmp_path: Path) -> PersonFiles:
    # The key, beside which the erasures are else, is shared by all tests.
    return replace(erasures.files_of(config), ledger=Ledger(tmp_path / "erasures"))


@pytest.fixture
async def patient(api: Api, config: Config, files: PersonFiles, tmp_path: Path) -> Patient:
    await gateways(api)
    ready = await clinic(api)
    await api.patch("users/2/", {"region": "ES"}, user="root")
    await api.made("webhook/", {"target_url": "https://example.com/told"})
    person = Patient(api, ready, files)
    await _person(person)
    await _elsewhere(person)
    _import(config, api.db, tmp_path)
    await api.db.write(_history, id_of(person.links["alarm"]), files)
    cache = Cache(files.prompts, 10_000_000)
    cache.keep("a" * 64, tone(), text=f"Good morning, {NAME}.")
    cache.keep("b" * 64, tone(), text=f"It is about your {TEXT}.")
    cache.keep("c" * 64, tone(), text="Press 1 to confirm.")
    cache.keep("d" * 64, tone(), text="It is about your check-up.")
    return person


async def _person(person: Patient) -> None:
    api, ready = person.api, person.ready
    user = {"username": "zebulon", "password": "x", "first_name": "Zebulon", "email": MAIL}
    patient = await api.made("calendar-user/", {**user, "last_name": "Quagmire"})
    profile = {"phone_no": NATIONAL, "note": TEXT, "address": "1 Quagmire Road", "accountcode": 7}
    reply = await api.patch(f"calendar-user-profile/{id_of(patient['url'])}/", profile)
    assert reply.status == 200, reply.text
    visit = {
        "title": f"{NAME}, check-up",
        "description": TEXT,
        "start": "2030-01-02 10:00",
        "calendar": ready.calendar,
        "data": {"name": NAME, "first_name": "Zebulon", "note": TEXT, "for": "check-up"}
        | {"pin": 600100777},
    }
    once = {"Idempotency-Key": "visit-1"}
    event = await api.made("event/", visit, headers=once)
    alarm = {"event": event["url"], "alarm_phonenumber": NATIONAL, "alarm_email": MAIL}
    own = {"url_confirm": "https://example.com/zebulon", "method": 1}
    person.links["event"] = event["url"]
    made = await api.made("alarm/", {**alarm, **own}, headers={"Idempotency-Key": "alarm-1"})
    person.links["alarm"] = made["url"]
    await api.made("alarm/", {**alarm, "method": 3, "advance_notice": 60})
    rule = await api.made("rule/", {"name": "weekly", "frequency": "WEEKLY"})
    series = await api.made("event/", {**visit, "start": "2030-02-01 09:00", "rule": rule["url"]})
    await api.made("alarm/", {**alarm, "event": series["url"], "alarm_phonenumber": NUMBER})
    await api.patch(event["url"], {"title": f"{NAME}, moved", "start": "2030-01-02 11:00"})
    listed = await api.made("dnc-list/", {"name": "no", "description": f"see {NAME}"})
    await api.made("dnc-contact/", {"dnc": listed["url"], "phone_number": "0034600100777"})
    await api.made("dnc-contact/", {"dnc": listed["url"], "email": MAIL})
    person.links["list"] = listed["url"]


async def _elsewhere(person: Patient) -> None:
    """Name the person in the rows of others."""
    api, ready = person.api, person.ready
    other = await api.made(
        "event/",
        {
            "title": f"Sister of {NAME}",
            "description": f"ring {NATIONAL} or {MAIL} first; milk allergy",
            "start": "2030-01-03 10:00",
            "calendar": ready.calendar,
            "data": {"name": "Ann Other", "for": "check-up", "of": {"sister": [NAME]}},
        },
        headers={"Idempotency-Key": "other-1"},
    )
    # A calendar user with the person's name, and no number.
    again = {"first_name": "ZEBULON", "last_name": "Quagmire", "username": "z", "password": "x"}
    await api.made("calendar-user/", again)
    person.links["other"] = other["url"]
    alarm = {"event": other["url"], "alarm_phonenumber": OTHER, "phonenumber_transfer": NUMBER}
    person.links["other alarm"] = (await api.made("alarm/", alarm))["url"]
    template = await api.made("survey-template/", {"name": f"For {NAME}"})
    script = f"Hello {NAME}. Press 1 to confirm."
    section = {"survey": template["url"], "type": 3, "question": "q", "script": script}
    await api.made("section-template/", section)
    assert (await api.post(f"{template['url']}seal/")).status == 201
    await api.made("sms-template/", {"label": "l", "sms_text": f"Dear {NAME}, ring {NATIONAL}"})
    await api.patch(ready.setting, {"failure_phonenumber": NUMBER, "callerid": "600100777"})


def _import(config: Config, db: Database, folder: Path) -> None:
    path = folder / "zebulon.csv"
    header = "uid,title,start,alarm_phonenumber,data.name,data.note\n"
    row = f"z-1,{NAME},2030-03-01 10:00,{NUMBER},{NAME},{TEXT}\n"
    path.write_text(header + row)
    report = load(config, db, Options(path, calendar="book"))
    assert report.counts["made"] == 1, report
    path.unlink()  # the user's own


def _history(alarm_id: int, files: PersonFiles) -> None:
    """Write what calls and messages leave."""
    now, alarm = utcnow(), Alarm.get_by_id(alarm_id)
    request = AlarmRequest.create(
        owner=alarm.owner_id, alarm=alarm, date=now, status=AlarmStatus.SUCCESS
    )
    section = Section.select().first()
    call = CallRequest.create(
        owner=alarm.owner_id,
        request=request,
        alarm=alarm,
        aleg_uuid="ta-1",
        phone_number="600100777",
        dialled=NUMBER,
        contact=NUMBER,
        endpoint=f"PJSIP/{NUMBER}@trunk",
        gateway=1,
        survey=section.survey_id,
        status=CallStatus.SUCCESS,
        ended=now,
        settled=now,
    )
    sections = list(Section.select().order_by(Section.id))
    SurveyResult.create(call=call, section=sections[0], response="1")
    file = files.recordings.keep(tone() + NAME.encode())
    SurveyResult.create(call=call, section=sections[1], response="600100777", record_file=file)
    Transfer.create(
        owner=alarm.owner_id,
        call=call,
        section=section,
        gateway=1,
        aleg_uuid="ta-1-a",
        phone_number=NUMBER,
        endpoint=f"PJSIP/{NUMBER}@trunk",
    )
    message = {"owner": alarm.owner_id, "alarm": alarm, "date": now, "method": 2}
    text = {"subject": NAME, "text": f"Dear {NAME}: {TEXT}", "html": NAME, "said": NUMBER}
    for status, number in ((MessageStatus.SENT, NUMBER), (MessageStatus.PENDING, "600100777")):
        Message.create(
            **message, **text, recipient=number, contact=number, tail="00100777", status=status
        )
    gateway = SmsGateway.get()
    InboundSms.create(gateway=gateway, external_id="1", sender=NUMBER, text=TEXT, alarm=alarm)
    InboundSms.create(gateway=gateway, external_id="2", sender="600100777", text=NAME)
    record(alarm.id, "busy", f"{NUMBER} was busy; {TEXT}")
    record(alarm.id, "deferred", "calling_hours")
    for webhook, url in ((1, "https://example.com/told"), (None, "https://example.com/zebulon")):
        WebhookDelivery.create(
            owner=alarm.owner_id,
            webhook=webhook,
            alarm=alarm,
            message_id=f"msg_{webhook}",
            type="alarm.result",
            target_url=url,
            endpoint="2 example.com",
            lane=f"lane {webhook}",
            payload=f'{{"type":"alarm.result","data":{{"title":"{NAME}, {TEXT}",'
            f'"alarm_phonenumber":"{NUMBER}","alarm_email":"{MAIL}","result":1}}}}',
            date=now + timedelta(days=1),
            tries=[{"at": "x", "status": 500, "seconds": 1, "why": f"{NAME} failed"}],
        )


def counts() -> dict[str, int]:
    kept = (Alarm, Event, AlarmRequest, CallRequest, SurveyResult, Message, InboundSms, Timeline)
    return {model.__name__: model.select().count() for model in (*kept, WebhookDelivery)}


async def erase(person: Patient, number: str = NATIONAL, **options: Any) -> bool:
    def order() -> int:
        actor = audit.by_command()
        return erasures.begin(number, None, options.get("also", []), actor, utcnow()).id

    db, order_id = person.api.db, await person.api.db.write(order)
    return erasures.carry_out(db, order_id, person.files)


async def test_an_erased_person_is_nowhere(patient: Patient, tmp_path: Path) -> None:
    db = patient.api.db
    before = await db.read(counts)
    tables = {line.split(" ")[0] for line in await db.read(lambda: list(in_tables()))}
    # The search finds what is there: else it proves nothing.
    assert {"Alarm", "Event", "CallRequest", "Message", "InboundSms", "AuditEntry"} <= tables
    assert {"IdempotencyKey", "ImportChange", "WebhookDelivery", "Section", "Timeline"} <= tables
    assert list(in_files(tmp_path)) != []
    assert await erase(patient)
    assert await db.read(lambda: list(in_tables())) == []
    assert list(in_files(tmp_path)) == []
    after = await db.read(counts)
    # What was cancelled has a line in its timeline.
    assert after.pop("Timeline") >= before.pop("Timeline")
    assert after == before
    # What names nobody stays.
    prompts = sorted(path.name[0] for path in patient.files.prompts.glob("*.wav"))
    assert prompts == ["c", "d"]
    other = (await patient.api.get(patient.links["other"])).body
    assert other["title"] == "Sister of [erased]"
    assert other["description"] == "ring [erased] or [erased] first; milk allergy"
    of = {"sister": ["[erased]"]}
    assert other["data"] == {"name": "Ann Other", "for": "check-up", "of": of}
    alarm = (await patient.api.get(patient.links["other alarm"])).body
    assert (alarm["alarm_phonenumber"], alarm["status"]) == (OTHER, 1)
    results = (await patient.api.get("result/")).body["results"]
    assert [row["response"] for row in results] == ["1", "[erased]"]


async def test_what_waits_for_an_erased_person_is_called_off(patient: Patient) -> None:
    assert await erase(patient)
    rows = (await patient.api.get("alarm/?page_size=100")).body["results"]
    erased = [row for row in rows if row["alarm_phonenumber"] == ""]
    assert len(erased) >= 3
    assert {(row["status"], row["status_reason"]) for row in erased} == {(7, "erased")}
    deliveries = (await patient.api.get("webhook-delivery/?type=alarm.result")).body["results"]
    by_hook = {row["webhook"] is None: row for row in deliveries}
    # A webhook still gets the result, without the person. The own URL named the person.
    assert by_hook[False]["status"] == 1
    assert by_hook[False]["payload"]["data"]["result"] == 1
    assert (by_hook[True]["status"], by_hook[True]["target_url"]) == (4, "")


@pytest.mark.parametrize("form", [NUMBER, "0034600100777", NATIONAL, "600100777"])
async def test_the_do_not_call_entry_still_works(patient: Patient, form: str) -> None:
    assert await erase(patient)
    api = patient.api
    contacts = (await api.get("dnc-contact/")).body["results"]
    assert [(row["phone_number"], row["email"], row["erased"]) for row in contacts] == [
        (None, None, True),
        (None, None, True),
    ]
    event = patient.links["other"]
    alarm = await api.made("alarm/", {"event": event, "alarm_phonenumber": form})
    mail = {"event": event, "method": 3, "alarm_email": MAIL.upper()}
    by_mail = await api.made("alarm/", mail)
    free = await api.made("alarm/", {"event": event, "alarm_phonenumber": "600100999"})

    def forbidden() -> set[int]:
        ids = [id_of(one["url"]) for one in (alarm, by_mail, free)]
        return do_not_call.forbidden([Alarm.get_by_id(key) for key in ids])

    assert await api.db.read(forbidden) == {id_of(alarm["url"]), id_of(by_mail["url"])}
    assert await api.db.read(do_not_call.lists_number, 2, form)
    assert not await api.db.read(do_not_call.lists_number, 3, form)
    assert await api.db.read(do_not_call.lists_mail, 2, MAIL)
    # It is not entered again, and a manager can remove it.
    assert not await api.db.write(lambda: do_not_call.opt_out(2, number=form))
    again = {"dnc": patient.links["list"], "phone_number": form}
    assert (await api.post("dnc-contact/", again)).status == 400
    assert (await api.delete(contacts[0]["url"])).status == 204
    assert not await api.db.read(do_not_call.lists_number, 2, form)


async def test_start_removes_the_entry_of_stop_of_an_erased_person(patient: Patient) -> None:
    api = patient.api
    await api.db.write(lambda: do_not_call.stop(2, NUMBER))
    assert await erase(patient)
    assert await api.db.read(lambda: do_not_call.is_stopped(2, ["600100777"]))
    await api.db.write(lambda: do_not_call.start(2, ["600100777"]))
    assert not await api.db.read(lambda: do_not_call.is_stopped(2, [NUMBER]))
    assert await api.db.read(do_not_call.lists_number, 2, NUMBER)


async def test_a_call_that_goes_on_ends_first_and_brings_nothing_back(
    patient: Patient, tmp_path: Path
) -> None:
    db, key = patient.api.db, id_of(patient.links["alarm"])

    def up() -> int:
        CallRequest.update(settled=None, ended=None, status=CallStatus.CALLING).execute()
        AlarmRequest.update(status=AlarmStatus.IN_PROCESS).execute()
        return Alarm.update(status=AlarmStatus.IN_PROCESS).where(Alarm.id == key).execute()

    await db.write(up)
    assert not await erase(patient)
    alarm = await db.read(lambda: Alarm.get_by_id(key))
    assert (alarm.alarm_phonenumber, alarm.status_reason) == ("600100777", "erased")
    assert alarm.called_off is not None
    eraser = Eraser(db, patient.files)
    await eraser.step()
    await eraser.step()
    assert (await db.read(erasures.open_orders)) != []

    def ends() -> None:
        record(key, "key", f"{NAME} said {TEXT} to {NUMBER}")
        CallRequest.update(settled=utcnow(), ended=utcnow(), status=CallStatus.SUCCESS).execute()
        AlarmRequest.update(status=AlarmStatus.SUCCESS).execute()
        Alarm.update(status=AlarmStatus.CANCELLED).where(Alarm.id == key).execute()

    await db.write(ends)
    await eraser.step()
    assert (await db.read(erasures.open_orders)) == []
    assert await db.read(lambda: list(in_tables())) == []
    assert list(in_files(tmp_path)) == []


async def test_after_a_crash_in_the_middle_the_service_finishes(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(erasures, "_blank_mentions", _crash)
        with pytest.raises(RuntimeError):
            await erase(patient)
    db = patient.api.db
    assert await db.read(lambda: list(in_tables())) != []
    await Eraser(db, patient.files).step()
    assert await db.read(erasures.open_orders) == []
    assert await db.read(lambda: list(in_tables())) == []
    assert list(in_files(tmp_path)) == []


def _crash(*args: object) -> int:
    raise RuntimeError


async def test_a_manager_finds_exports_and_erases_own_rows_only(patient: Patient) -> None:
    api = patient.api
    await clinic(api, "other")
    theirs = {"title": "t", "calendar": "2", "start": "2030-01-02 10:00", "data": {"name": NAME}}
    event = await api.made("event/", theirs, user="other")
    body = {"event": event["url"], "alarm_phonenumber": NUMBER}
    alarm = await api.made("alarm/", body, user="other")
    found = (await api.post("person/find/", {"number": NUMBER})).body["people"]
    assert {one["manager"] for one in found} == {"manager"}
    assert NAME in found[0]["names"]
    everybody = (await api.post("person/find/", {"number": NUMBER}, user="root")).body["people"]
    assert {one["manager"] for one in everybody} == {"manager", "other"}
    refused = await api.post("person/erase/", {"number": NUMBER})
    assert (refused.status, list(refused.body)) == (400, ["confirm"])
    ordered = await api.post("person/erase/", {"number": NUMBER, "confirm": True})
    assert ordered.status == 200, ordered.text
    link = ordered.body["url"]
    assert (await api.get(link)).body["finished"] is None
    await Eraser(api.db, patient.files).step()
    shown = (await api.get(link)).body
    assert shown["finished"] is not None and shown["rows"] > 10 and shown["files"] >= 3
    assert (await api.get(link, user="other")).status == 404
    assert (await api.get(alarm["url"], user="other")).body["alarm_phonenumber"] == NUMBER
    assert (await api.get(event["url"], user="other")).body["data"] == {"name": NAME}
    assert (await api.post("person/find/", {"number": NUMBER})).body["people"] == []
    assert (await api.post("person/export/", {"number": NUMBER})).status == 404
    entry = (await api.get("audit/?resource=person")).body["results"][0]
    assert (entry["action"], entry["who"], entry["changes"]) == ("erase", "manager", {})


async def test_the_export_has_everything(patient: Patient) -> None:
    reply = await patient.api.post("person/export/", {"number": NATIONAL})
    assert reply.status == 200, reply.text
    document = reply.body
    assert NAME in document["names"] and MAIL in document["mails"]
    rows = document["rows"]
    assert {"alarm", "event", "call request", "survey result", "message", "timeline"} <= set(rows)
    assert {"calendar user", "webhook delivery", "import change", "audit entry"} <= set(rows)
    assert rows["event"][0]["description"] == TEXT
    assert "password_hash" not in reply.text
    (recording,) = document["recordings"]
    assert recording["wav"]
    assert any("Sister of" in str(one["columns"]) for one in document["mentions"])
    assert (await patient.api.post("person/export/", {"number": "abc"})).status == 400


async def test_a_restored_database_is_erased_again(patient: Patient, tmp_path: Path) -> None:
    db = patient.api.db
    assert await erase(patient)

    def restore() -> None:
        Erasure.delete().execute()
        event = Event.get_by_id(id_of(patient.links["event"]))
        Event.update(title=NAME, data={"name": NAME}).where(Event.id == event.id).execute()
        Alarm.update(alarm_phonenumber="600100777", alarm_e164=NUMBER).where(
            Alarm.event == event.id
        ).execute()

    await db.write(restore)
    assert await db.read(lambda: list(in_tables())) != []
    assert erasures.reapply(db, patient.files) == 1
    assert await db.read(lambda: list(in_tables())) == []
    assert list(in_files(tmp_path)) == []
    assert erasures.reapply(db, patient.files) == 0
    # Only this user may read the file, and a damaged line of it stops nothing.
    ledger = tmp_path / "erasures"
    assert ledger.stat().st_mode & 0o077 == 0
    ledger.write_text("{damaged\n" + ledger.read_text())
    await db.write(restore)
    assert erasures.reapply(db, patient.files) == 1
    assert await db.read(lambda: list(in_tables())) == []


async def test_more_words_are_erased_where_they_stand(patient: Patient) -> None:
    assert await erase(patient, also=["milk allergy"])
    other = (await patient.api.get(patient.links["other"])).body
    assert other["description"] == "ring [erased] or [erased] first; [erased]"
