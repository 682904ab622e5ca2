"""Phone numbers from the API to the dial string: read with a region, refused, or as written."""

from pathlib import Path
from typing import Any

import pytest

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.importing.load import Options, load
from telealarm.importing.writer import Report
from telealarm.models import Alarm, CalendarUserProfile, DncContact, Gateway
from telealarm.store import do_not_call, stored_numbers
from telealarm.store.dialing import call_back
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus
from tests.integration.api_client import Api, Clinic, clinic, id_of
from tests.integration.stages import Stages

SPAIN = "+34600100200"


@pytest.fixture
async def made(api: Api) -> Clinic:
    return await clinic(api)


@pytest.fixture
async def stages(db: Database) -> Stages:
    return await Stages.build(db)


async def event(api: Api, made: Clinic) -> str:
    body = {"title": "t", "calendar": made.calendar, "start": "2030-06-03 10:00"}
    link: str = (await api.made("event/", body))["url"]
    return link


async def test_a_number_has_its_e164_form_beside_what_was_written(api: Api, made: Clinic) -> None:
    await api.patch(made.setting, {"region": "es"})
    assert (await api.get(made.setting)).body["region"] == "ES"
    sent = {
        "event": await event(api, made),
        "alarm_phonenumber": "600 100 200",
        "phonenumber_transfer": "+44 (0)20 7946 0000",
        "phonenumber_sms_failure": "105",
    }
    shown = await api.made("alarm/", sent)
    assert (shown["alarm_phonenumber"], shown["alarm_e164"]) == ("600100200", SPAIN)
    assert shown["phonenumber_transfer"] == shown["transfer_e164"] == "+442079460000"
    assert (shown["phonenumber_sms_failure"], shown["sms_failure_e164"]) == ("105", None)
    # What is shown can be written back, and a new number is read anew.
    assert (await api.put(shown["url"], shown)).status == 200
    reply = await api.patch(shown["url"], {"alarm_phonenumber": "105"})
    assert (reply.body["alarm_phonenumber"], reply.body["alarm_e164"]) == ("105", None)


async def test_the_setting_goes_before_the_manager(api: Api, made: Clinic) -> None:
    manager = next(
        row
        for row in (await api.get("users/", user="root")).body["results"]
        if row["username"] == "manager"
    )
    reply = await api.patch(manager["url"], {"region": "GB"}, user="root")
    assert (reply.status, reply.body["region"]) == (200, "GB")
    body = {"event": await event(api, made), "alarm_phonenumber": "020 7946 0000"}
    assert (await api.made("alarm/", body))["alarm_e164"] == "+442079460000"
    await api.patch(made.setting, {"region": "ES"})
    body["alarm_phonenumber"] = "600100200"
    assert (await api.made("alarm/", body))["alarm_e164"] == SPAIN
    reply = await api.patch(made.setting, {"region": "XX"})
    assert (reply.status, list(reply.body)) == (400, ["region"])


@pytest.mark.parametrize(
    "number",
    ["34600100200.5", "3.46E+10", "600 100 200 / 201", "600100200 x12", "+34112", "+3434600100200"],
)
async def test_what_is_no_number_is_refused_everywhere(api: Api, made: Clinic, number: str) -> None:
    dnc = (await api.made("dnc-list/", {"name": "d"}))["url"]
    happening = await event(api, made)
    for path, body, field in (
        ("alarm/", {"event": happening, "alarm_phonenumber": number}, "alarm_phonenumber"),
        (
            "alarm/",
            {"event": happening, "alarm_phonenumber": "600", "phonenumber_transfer": number},
            "phonenumber_transfer",
        ),
        ("dnc-contact/", {"dnc": dnc, "phone_number": number}, "phone_number"),
        (f"{made.survey}call/", {"phonenumber": number}, "phonenumber"),
    ):
        reply = await api.post(path, body)
        assert (reply.status, list(reply.body)) == (400, [field])
    reply = await api.patch(made.setting, {"failure_phonenumber": number})
    assert (reply.status, list(reply.body)) == (400, ["failure_phonenumber"])


async def trunk(api: Api, made: Clinic, **fields: Any) -> None:
    body = {"name": "outside", "gateways": "PJSIP/{number}@provider", **fields}
    gateway = await api.made("gateway/", body, user="root")
    reply = await api.patch(made.setting, {"aleg_gateway": gateway["url"]})
    assert reply.status == 200, reply.text


async def test_112_rings_by_the_house_and_not_by_the_trunk(api: Api, made: Clinic) -> None:
    room = {"event": await event(api, made), "alarm_phonenumber": "112"}
    assert (await api.post("alarm/", room)).status == 201
    await trunk(api, made)
    for body, field in (
        (room, "alarm_phonenumber"),
        (
            {**room, "alarm_phonenumber": "600", "phonenumber_transfer": "911"},
            "phonenumber_transfer",
        ),
    ):
        reply = await api.post("alarm/", body)
        assert (reply.status, list(reply.body)) == (400, [field])
        assert "emergency number" in reply.body[field][0]
    reply = await api.post(f"{made.survey}call/", {"phonenumber": "112"})
    assert (reply.status, list(reply.body)) == (400, ["phonenumber"])
    reply = await api.patch(made.setting, {"failure_phonenumber": "112"})
    assert (reply.status, list(reply.body)) == (400, ["failure_phonenumber"])
    # An SMS dials nothing.
    assert (await api.post("alarm/", {**room, "method": 2})).status == 201


async def test_the_emergency_numbers_are_those_of_the_gateways_region(
    api: Api, made: Clinic
) -> None:
    await trunk(api, made, region="US")
    happening = await event(api, made)
    for number, status in (("911", 400), ("999", 201), ("101", 201)):
        reply = await api.post("alarm/", {"event": happening, "alarm_phonenumber": number})
        assert reply.status == status, (number, reply.text)


async def test_a_right_counts_for_every_number_and_for_what_is_dialled(
    api: Api, made: Clinic
) -> None:
    await trunk(api, made, removeprefix="34")
    profile = made.user.replace("calendar-user", "calendar-user-profile")
    await api.patch(profile, {"permissions": {"prefixes": ["+34", "34", "600"]}})
    happening = await event(api, made)
    fits = {"event": happening, "alarm_phonenumber": "600100200"}
    assert (await api.post("alarm/", fits)).status == 201
    for body, field in (
        ({"alarm_phonenumber": "3400881234567"}, "alarm_phonenumber"),
        ({"phonenumber_sms_failure": "906100200"}, "phonenumber_sms_failure"),
        ({"phonenumber_sms_failure": "906100200", "method": 2}, "phonenumber_sms_failure"),
        ({"phonenumber_transfer": "906100200"}, "phonenumber_transfer"),
    ):
        reply = await api.post("alarm/", {**fits, **body})
        assert (reply.status, list(reply.body)) == (400, [field]), reply.text
    reply = await api.patch(made.setting, {"failure_phonenumber": "906100200"})
    assert (reply.status, list(reply.body)) == (400, ["failure_phonenumber"])


async def change(stages: Stages, **fields: Any) -> None:
    await stages.write(lambda: Gateway.update(**fields).execute())


async def test_an_emergency_number_is_not_dialled_and_not_tried_again(stages: Stages) -> None:
    await change(stages, extensions=False, removeprefix="+34", region="ES")
    alarm_id = await stages.alarm("+34112", maxretry=3)
    assert await stages.claim() == []
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.FAILURE, "emergency_number")
    assert "112 is an emergency number" in dict(await stages.words(alarm_id))["failure"]


async def test_a_number_that_becomes_a_foreign_one_is_not_dialled(stages: Stages) -> None:
    await change(stages, removeprefix="+34", allowed_prefixes=["+34"])
    alarm_id = await stages.alarm("+3400881234567", maxretry=3)
    assert await stages.claim() == []
    assert (await stages.get(alarm_id)).status_reason == "wrong_number"
    await stages.alarm(SPAIN, alarm_e164=SPAIN)
    (call,) = await stages.claim()
    assert call.endpoint == "PJSIP/600100200@trunk"


async def test_a_right_counts_for_what_the_gateway_dials(stages: Stages) -> None:
    await change(stages, removeprefix="+34")

    def limit() -> None:
        profile = CalendarUserProfile.get()
        profile.permissions = {**profile.permissions, "prefixes": ["+34"]}
        profile.save()

    await stages.write(limit)
    alarm_id = await stages.alarm("+3400881234567", maxretry=3)
    assert await stages.claim() == []
    assert (await stages.get(alarm_id)).status_reason == "number_not_permitted"


async def test_a_number_leaves_in_e164_form(stages: Stages) -> None:
    await stages.alarm("600100200", alarm_e164=SPAIN)
    (call,) = await stages.claim()
    assert (call.number, call.endpoint) == ("600100200", f"PJSIP/{SPAIN}@trunk")


async def test_a_number_is_on_a_list_however_it_is_written(api: Api, made: Clinic) -> None:
    await api.patch(made.setting, {"region": "ES"})
    body = {"event": await event(api, made), "alarm_phonenumber": "600 100 200"}
    alarm = id_of((await api.made("alarm/", body))["url"])
    dnc = (await api.made("dnc-list/", {"name": "d"}))["url"]
    contact = await api.made("dnc-contact/", {"dnc": dnc, "phone_number": "0034 600 100 200"})
    assert contact["e164"] is None
    assert await api.db.read(lambda: do_not_call.forbidden([Alarm.get_by_id(alarm)])) == {alarm}


async def test_a_caller_is_known_by_the_e164_form(stages: Stages) -> None:
    alarm_id = await stages.alarm("(0)600100200", alarm_e164=SPAIN)
    found = await stages.write(lambda: call_back.find("0034600100200", None, utcnow()))
    assert found is not None and found.alarm_id == alarm_id


async def test_old_numbers_are_read_and_those_that_cannot_be_are_listed(
    api: Api, made: Clinic
) -> None:
    happening = await event(api, made)
    for number in (SPAIN, "600100200", "112"):
        await api.made("alarm/", {"event": happening, "alarm_phonenumber": number})
    dnc = (await api.made("dnc-list/", {"name": "d"}))["url"]
    await api.made("dnc-contact/", {"dnc": dnc, "phone_number": SPAIN})
    await trunk(api, made)

    def forget() -> None:
        Alarm.update(alarm_e164=None).execute()
        Alarm.update(alarm_phonenumber="+34600").where(
            Alarm.alarm_phonenumber == "600100200"
        ).execute()
        DncContact.update(e164=None).execute()

    def state() -> list[tuple[str, str | None]]:
        return [
            (row.alarm_phonenumber, row.alarm_e164) for row in Alarm.select().order_by(Alarm.id)
        ]

    await api.db.write(forget)
    unread = await api.db.write(lambda: stored_numbers.review(write=True))
    assert [one.number for one in unread] == ["+34600", "112", "112"]
    assert "too short" in unread[0].why
    assert "emergency number" in unread[2].why
    assert await api.db.read(state) == [(SPAIN, SPAIN), ("+34600", None), ("112", None)]
    assert await api.db.read(lambda: DncContact.get().e164) == SPAIN


HEADER = "uid,title,start,alarm_phonenumber\n"
FILE = """\
1,A,2030-01-02 10:30,34600100200.0
2,B,2030-01-02 10:30,+44 (0)20 7946 0000
3,C,2030-01-02 10:30,600 100 200 / 201
4,D,2030-01-02 10:30,15550101
5,E,2030-01-02 10:30,+34 600 100 201
6,F,2030-01-02 10:30,15550101
"""


def imported(config: Config, api: Api, folder: Path, text: str) -> Report:
    path = folder / "file.csv"
    path.write_text(HEADER + text)
    return load(config, api.db, Options(path, calendar="book"))


async def test_the_report_of_an_import_names_what_is_dialled_otherwise_than_written(
    api: Api, made: Clinic, config: Config, tmp_path: Path
) -> None:
    report = imported(config, api, tmp_path, FILE)
    assert [(one.line, one.message) for one in report.refused] == [
        (4, "alarm_phonenumber: seems to be two numbers; write one")
    ]
    read = "alarm_phonenumber: 34600100200.0 is read and dialled as 34600100200: no region is set"
    assert report.remarks == [
        f"line 2: {read}",
        "line 3: alarm_phonenumber: +44 (0)20 7946 0000 is read as +442079460000",
        "line 5: alarm_phonenumber: 15550101 is dialled as it is written: no region is set",
    ]
    alarms = (await api.get("alarm/")).body["results"]
    assert [row["alarm_phonenumber"] for row in alarms] == [
        "34600100200",
        "+442079460000",
        "15550101",
        "+34600100201",
        "15550101",
    ]
    # A second import finds them by their numbers.
    changed = imported(config, api, tmp_path, FILE.replace("10:30", "11:30"))
    assert dict(changed.counts) == {"changed": 5}
    assert (await api.get("alarm/")).body["count"] == 5


async def test_the_report_names_no_number_that_the_region_places(
    api: Api, made: Clinic, config: Config, tmp_path: Path
) -> None:
    await api.patch(made.setting, {"region": "ES"})
    report = imported(config, api, tmp_path, "1,A,2030-01-02 10:30,600 100 200\n")
    assert (report.refused, report.remarks) == ([], [])
