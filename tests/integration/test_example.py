"""`telealarm example`: the three use cases of the reference, ready to ring."""

from typing import Any

import pytest

from telealarm import cli, example
from telealarm.config import Config
from telealarm.errors import TeleAlarmError
from telealarm.models import ALL
from telealarm.store.database import Database
from tests.integration.api_client import Api, gateways

ASKED = example.Asked("manager", "15550101", "Europe/Madrid", reception="15550199")


def steps(name: str) -> list[dict[str, Any]]:
    """The steps, but for what this version refuses: alarms by SMS."""
    found: list[dict[str, Any]] = example.read(name)[1]
    return [step for step in found if step.get("body", {}).get("method") != 2]


async def load(db: Database, config: Config, name: str, **options: Any) -> list[str]:
    """What became of the steps."""
    asked = options.pop("asked", ASKED)
    dry_run = options.pop("dry_run", False)
    done = example.load(db, config, steps(name), asked, dry_run=dry_run)
    return [one.what for one in done]


async def rows(db: Database) -> int:
    return await db.read(lambda: sum(model.select().count() for model in ALL))


@pytest.mark.parametrize("name", cli.EXAMPLES)
async def test_an_example_is_loaded_once(api: Api, config: Config, name: str) -> None:
    await gateways(api)
    before = await rows(api.db)
    dry = await load(api.db, config, name, dry_run=True)
    assert await rows(api.db) == before
    assert await load(api.db, config, name) == dry
    assert set(dry) == {"made", "changed"}
    after = await rows(api.db)
    assert set(await load(api.db, config, name)) == {"kept"}
    assert await rows(api.db) == after


async def test_every_example_has_its_own_for_every_manager(api: Api, config: Config) -> None:
    await gateways(api)
    for user in ("manager", "other"):
        for name in cli.EXAMPLES:
            asked = example.Asked(user, "15550101", "Asia/Tokyo")
            await load(api.db, config, name, asked=asked)
        alarms = (await api.get("alarm/", user=user)).body["results"]
        assert {alarm["alarm_phonenumber"] for alarm in alarms} == {"15550101"}
        assert {alarm["status"] for alarm in alarms} == {1}
        names = [one["name"] for one in (await api.get("calendar/", user=user)).body["results"]]
        assert names == ["Wake-up", "Surgery", "Personal", "Work"]


async def test_the_appointment_rings_a_day_ahead_and_asks(api: Api, config: Config) -> None:
    await gateways(api)
    await load(api.db, config, "appointment")
    (alarm,) = (await api.get("alarm/")).body["results"]
    event = (await api.get(alarm["event"])).body
    assert event["start"][10:] in ("T10:30:00+01:00", "T10:30:00+02:00")
    assert (alarm["advance_notice"], alarm["phonenumber_sms_failure"]) == (86400, "15550199")
    setting = (await api.get("calendar-setting/")).body["results"][0]
    survey = (await api.get(setting["survey"])).body
    ask, *others = survey["sections"]
    assert (ask["type"], ask["rating_laps"]) == (3, 3)
    assert len(others) == 5
    users = (await api.get("calendar-user/")).body["results"]
    profile = await api.get(f"calendar-user-profile/{users[0]['url'].split('/')[-2]}/")
    assert profile.body["timezone"] == "Europe/Madrid"


async def test_what_the_manager_changed_stays(api: Api, config: Config) -> None:
    await gateways(api)
    await load(api.db, config, "wakeup")
    (user,) = (await api.get("calendar-user/")).body["results"]
    profile = f"calendar-user-profile/{user['url'].split('/')[-2]}/"
    await api.patch(profile, {"timezone": "America/Bogota"})
    (event,) = (await api.get("event/")).body["results"]
    await api.patch(event["url"], {"data": {"activity": "school"}})
    await load(api.db, config, "wakeup")
    assert (await api.get(profile)).body["timezone"] == "America/Bogota"
    assert (await api.get(event["url"])).body["data"] == {"activity": "school"}


async def test_what_is_in_the_way_is_said_and_nothing_is_written(api: Api, config: Config) -> None:
    before = await rows(api.db)
    with pytest.raises(TeleAlarmError, match="there is no active gateway; a superuser makes one"):
        await load(api.db, config, "wakeup")
    await gateways(api)
    wrong = [
        (example.Asked("nobody", "1", "UTC"), "there is no user 'nobody'"),
        (example.Asked("manager", "x", "UTC"), r"step \d+ \(alarm\): alarm_phonenumber: must be"),
        (example.Asked("manager", "1", "Mars/Crater"), "'Mars/Crater' is no IANA time zone"),
        (example.Asked("manager", "1", "UTC", gateway="x"), "there is no active gateway 'x'"),
    ]
    before = await rows(api.db)
    for asked, said in wrong:
        with pytest.raises(TeleAlarmError, match=said):
            await load(api.db, config, "wakeup", asked=asked)
        assert await rows(api.db) == before
