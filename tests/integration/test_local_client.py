"""What is written without HTTP, by import, example and door, meets every check of the API."""

from typing import Any

import pytest

from telealarm.api.core.errors import ApiError
from telealarm.api.local_client import LocalClient
from telealarm.cli import example_steps
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Invalid, TeleAlarmError
from telealarm.importing.load import Options, load
from telealarm.models import Alarm, Calendar, CalendarSetting, CalendarUser, Gateway
from telealarm.store import audit
from telealarm.store.access import passwords, users
from telealarm.store.calendars import events
from telealarm.store.engine.database import Database
from tests.integration.api_client import Api, Clinic, clinic, id_of
from tests.integration.test_import import Importing, importing

__all__ = ["importing"]

# No user may have the service call this machine.
OURS = "http://127.0.0.1:9/x"
ASKED = example_steps.Asked("manager", "15550101", "Europe/Madrid")


@pytest.fixture
async def ready(api: Api) -> Clinic:
    return await clinic(api)


async def event(api: Api, ready: Clinic, **fields: Any) -> dict[str, Any]:
    body = {"title": "Visit", "start": "2030-01-02 10:30", "calendar": ready.calendar, **fields}
    return await api.made("event/", body)


async def refusal(api: Api, path: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The fields that the API finds wrong."""
    reply = await api.post(path, body, **options)
    assert reply.status == 400, reply.text
    fields: dict[str, Any] = reply.body
    return fields


def client(config: Config, username: str = "manager") -> LocalClient:
    return LocalClient(config, users.named(username), audit.by_command())


def create(db: Database, config: Config, name: str, body: dict[str, Any], user: str) -> int:
    row_id: int = db.run(lambda: client(config, user).create(name, body).id)
    return row_id


async def test_an_address_that_the_api_refuses_is_refused_to_a_local_client(
    api: Api, config: Config, ready: Clinic
) -> None:
    visit = await event(api, ready)
    body = {"event": visit["url"], "alarm_phonenumber": "100", "url_confirm": OURS}
    fields = await refusal(api, "alarm/", body)
    assert "127.0.0.1 is not public" in fields["url_confirm"][0]
    with pytest.raises(Invalid) as refused:
        create(api.db, config, "alarm", body, "manager")
    assert refused.value.fields == fields
    alarm = await api.made("alarm/", {**body, "url_confirm": ""})
    with pytest.raises(Invalid) as refused:
        api.db.run(
            lambda: client(config).change("alarm", id_of(alarm["url"]), {"url_confirm": OURS})
        )
    assert refused.value.fields == fields
    assert await api.db.read(Alarm.select().count) == 1


async def test_an_address_that_the_api_refuses_is_refused_to_an_import(
    importing: Importing,
) -> None:
    done, refused = importing.load(
        "uid,title,start,alarm_phonenumber,url_confirm\n"
        f"1,Visit,2030-01-02 10:30,100,{OURS}\n"
        "2,Visit,2030-01-02 11:30,100,\n"
    )
    sentence = "127.0.0.1 is not public (loopback); an operator may allow it in webhooks.allow"
    assert (done, refused) == ({"made": 1}, [f"2: url_confirm: {sentence}"])
    assert [one["url_confirm"] for one in await importing.alarms()] == [""]


async def test_an_address_that_the_api_refuses_is_refused_to_an_example(
    api: Api, config: Config, ready: Clinic
) -> None:
    visit = await event(api, ready)
    step = {
        "post": "alarm",
        "same": ["event"],
        "body": {"event": visit["url"], "alarm_phonenumber": "100", "url_cancel": OURS},
    }
    hook = {"post": "webhook", "same": ["target_url"], "body": {"target_url": OURS}}
    for name, wrong in (("alarm: url_cancel", step), ("webhook: target_url", hook)):
        resource, field = name.split(": ")
        said = rf"step 1 \({resource}\): {field}: 127.0.0.1 is not public"
        with pytest.raises(TeleAlarmError, match=said):
            example_steps.load(api.db, config, [wrong], ASKED, dry_run=False)
    assert await api.db.read(Alarm.select().count) == 0


async def test_what_superusers_alone_may_write_is_theirs_here_too(
    api: Api, config: Config, ready: Clinic
) -> None:
    trunk = {"name": "mine", "gateways": "PJSIP/{number}@mine"}
    reply = await api.post("gateway/", trunk)
    assert reply.status == 403
    with pytest.raises(ApiError, match=reply.body["detail"]):
        create(api.db, config, "gateway", trunk, "manager")
    gateway = id_of(ready.gateway)
    with pytest.raises(ApiError, match=reply.body["detail"]):
        api.db.run(lambda: client(config).change("gateway", gateway, {"name": "mine"}))
    assert await api.db.read(Gateway.select().count) == 1
    assert create(api.db, config, "gateway", trunk, "root")


async def test_a_row_belongs_to_the_owner_of_what_it_hangs_on(
    api: Api, config: Config, ready: Clinic
) -> None:
    """A superuser writes for managers, as over HTTP: nothing is of two owners."""
    setting = {"label": "night", "survey": ready.survey, "aleg_gateway": ready.gateway}
    made = create(api.db, config, "calendar-setting", {**setting, "user": "manager"}, "root")
    owner = await api.db.read(lambda: CalendarSetting.get_by_id(made).owner.username)
    assert owner == "manager"
    body = {"title": "Visit", "start": "2030-01-02 10:30", "calendar": ready.calendar}
    made = create(api.db, config, "event", body, "root")
    assert (await api.get(f"event/{made}/")).status == 200


async def test_what_no_request_could_write_is_refused_with_a_sentence(
    api: Api, config: Config, ready: Clinic
) -> None:
    with pytest.raises(TeleAlarmError, match="takes no POST"):
        create(api.db, config, "callrequest", {}, "manager")
    with pytest.raises(TeleAlarmError, match="takes no PATCH"):
        api.db.run(lambda: client(config).change("result", 1, {}))


async def test_a_password_is_changed_as_over_http(api: Api, config: Config, ready: Clinic) -> None:
    doctor = id_of(ready.user)
    before = await api.db.read(lambda: CalendarUser.get_by_id(doctor).password_hash)
    api.db.run(lambda: client(config).change("calendar-user", doctor, {"password": "new"}))
    after = await api.db.read(lambda: CalendarUser.get_by_id(doctor).password_hash)
    assert after != before
    assert await api.db.read(passwords.matches, "new", after)


@pytest.mark.long
async def test_a_calendar_that_goes_while_a_file_is_written_takes_no_more_rows(
    api: Api, config: Config, ready: Clinic, tmp_path: Any
) -> None:
    """Between two batches anybody may write: the second one looks again."""
    path = tmp_path / "file.csv"
    rows = [f"{n},Visit,2030-01-02 10:30" for n in range(201)]
    path.write_text("uid,title,start\n" + "\n".join(rows), encoding="utf-8")
    options = Options(path, calendar="book")

    def gone(done: int) -> None:
        if done == 200:
            calendar = id_of(ready.calendar)
            api.db.run(lambda: events.delete_calendar(Calendar.get_by_id(calendar), utcnow()))

    report = load(config, api.db, options, gone)
    assert report.counts == {"made": 200}
    assert [one.line for one in report.refused] == [202]
