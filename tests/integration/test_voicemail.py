"""What an answering machine hears: who called, unless the calendar setting says otherwise."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from telealarm.models import CalendarSetting
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.store.survey import session_state, upcoming
from telealarm.words import AmdBehavior
from tests.integration.stages import Stages


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    time_zones.configure(db.peewee, "UTC")
    yield await Stages.build(db)


@pytest.mark.parametrize(
    ("setting", "language", "said"),
    [
        (
            {"caller_name": "Surgery", "callerid": "600100"},
            None,
            ("This is a message from Surgery. Please call us back at 6 0 0 1 0 0.", "en"),
        ),
        (
            {"caller_name": "Surgery"},
            "es",
            ("Este es un mensaje de Surgery. Por favor, llámenos.", "es"),
        ),
        (
            {"callerid": "+34600"},
            None,
            ("This is a message for you. Please call back 3 4 6 0 0.", "en"),
        ),
        ({}, None, ("This is a message for you. We will call you again.", "en")),
        ({"caller_name": "Surgery", "voicemail_survey": True}, None, None),
        ({"caller_name": "Surgery", "amd_behavior": AmdBehavior.HUMAN_ONLY}, None, None),
        ({"caller_name": "Surgery", "voicemail": False}, None, None),
    ],
)
async def test_a_machine_hears_who_called(
    stages: Stages, setting: dict[str, Any], language: str | None, said: tuple[str, str] | None
) -> None:
    columns = {"voicemail": True, **setting}
    await stages.write(lambda: CalendarSetting.update(columns).execute())
    alarm_id = await stages.alarm("1", language=language)
    ahead = await stages.write(upcoming.script, alarm_id)
    (call,) = await stages.claim()
    script = await stages.write(session_state.load, call)
    assert (script.voicemail_text, ahead.voicemail_text) == (said, said)
