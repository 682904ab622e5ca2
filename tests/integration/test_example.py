"""`telealarm example`: the three use cases of the reference, ready to ring."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from telealarm.cli import example_steps, plan_text
from telealarm.cli.example import EXAMPLES
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.models import ALL
from telealarm.store.engine.database import Database
from tests.integration.api_client import Api, gateways

ASKED = example_steps.Asked("manager", "15550101", "Europe/Madrid", reception="15550199")


async def load(db: Database, config: Config, name: str, **options: Any) -> list[str]:
    """What became of the steps."""
    asked = options.pop("asked", ASKED)
    dry_run = options.pop("dry_run", False)
    done = example_steps.load(db, config, example_steps.read(name)[1], asked, dry_run=dry_run)
    return [one.what for one in done]


async def rows(db: Database) -> int:
    return await db.read(lambda: sum(model.select().count() for model in ALL))


@pytest.mark.parametrize("name", EXAMPLES)
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
        for name in EXAMPLES:
            asked = example_steps.Asked(user, "15550101", "Asia/Tokyo")
            await load(api.db, config, name, asked=asked)
        alarms = (await api.get("alarm/", user=user)).body["results"]
        assert {alarm["alarm_phonenumber"] for alarm in alarms} == {"15550101"}
        assert {alarm["status"] for alarm in alarms} == {1}
        names = [one["name"] for one in (await api.get("calendar/", user=user)).body["results"]]
        assert names == ["Wake-up", "Surgery", "Personal", "Work"]


async def test_the_appointment_rings_a_day_ahead_and_asks(api: Api, config: Config) -> None:
    await gateways(api)
    await load(api.db, config, "appointment")
    (alarm,) = (await api.get("alarm/?ordering=id")).body["results"][:1]
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
        (example_steps.Asked("nobody", "1", "UTC"), "there is no user 'nobody'"),
        (
            example_steps.Asked("manager", "x", "UTC"),
            r"step \d+ \(alarm\): alarm_phonenumber: must be",
        ),
        (example_steps.Asked("manager", "1", "Mars/Crater"), "'Mars/Crater' is no IANA time zone"),
        (example_steps.Asked("manager", "1", "UTC", gateway="x"), "there is no active gateway 'x'"),
    ]
    before = await rows(api.db)
    for asked, said in wrong:
        with pytest.raises(TeleAlarmError, match=said):
            await load(api.db, config, "wakeup", asked=asked)
        assert await rows(api.db) == before


async def planned(db: Database, now: datetime, days: int) -> list[tuple[str, str, str]]:
    """What `telealarm plan` says at `now`: the local time, what is done, and about which event."""
    lines: list[str] = []
    await db.read(plan_text.show, days, now, lines.append)
    calls = lines[1 : next(n for n, line in enumerate(lines) if line.startswith("\nload"))]
    found = [line.split("\t") for line in calls]
    return [(at[:16], action, title) for at, action, _, _, title, *_ in found]


# A Friday, in summer time; the clocks of Madrid are put back on the 25th of October.
FRIDAY = datetime(2026, 10, 16, 16, 0, tzinfo=UTC)


async def test_the_plan_is_what_the_three_use_cases_say(api: Api, config: Config) -> None:
    await gateways(api)
    with time_machine.travel(FRIDAY, tick=False):
        await load(api.db, config, "wakeup")
        at_seven = [f"2026-10-{day} 07:00" for day in (19, 20, 21, 22, 23, 26)]
        # On workdays alone, and at seven by the wall, also when the clocks have changed.
        assert await planned(api.db, FRIDAY, 10) == [(at, "call", "Wake up") for at in at_seven]
        await load(api.db, config, "appointment")
        assert [one for one in await planned(api.db, FRIDAY, 10) if one[2] != "Wake up"] == [
            ("2026-10-17 10:30", "call", "Check-up"),
            ("2026-10-18 09:30", "sms", "Check-up"),
        ]
        await load(api.db, config, "personal")
        others = ("Wake up", "Check-up")
        assert [one for one in await planned(api.db, FRIDAY, 15) if one[2] not in others] == [
            ("2026-10-19 16:30", "call", "music class"),
            ("2026-10-20 13:45", "call", "the quarterly meeting"),
            ("2026-10-26 09:00", "call", "Paul's birthday"),
            ("2026-10-26 16:30", "call", "music class"),
        ]


async def test_the_plan_says_that_an_sms_lacks_its_gateway(api: Api, config: Config) -> None:
    await api.made("gateway/", {"name": "g", "gateways": "PJSIP/{number}@trunk"}, user="root")
    with time_machine.travel(FRIDAY, tick=False):
        await load(api.db, config, "appointment")
        assert [action for _, action, _ in await planned(api.db, FRIDAY, 10)] == ["call", "skip"]
