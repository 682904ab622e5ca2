"""Speech goes in turns by manager: many long texts of one do not hold up the calls of another."""

import asyncio
from pathlib import Path

import pytest

from telealarm.asterisk.ari import Client
from telealarm.clock import utcnow
from telealarm.models import (
    Alarm,
    CalendarSetting,
    Section,
    Survey,
    Timeline,
    User,
)
from telealarm.sections.play_message import PlayMessage
from telealarm.store.engine.database import Database
from telealarm.store.survey.voice_messages import VoiceMessages
from telealarm.survey.channel_io import Files
from telealarm.survey.prefetch import PromptPrefetch
from telealarm.survey.section_context import SessionServices
from telealarm.survey.session import SurveyRunner
from telealarm.survey.tts.prompts import PLACES, Prompts
from telealarm.survey.tts.speech import Speech
from telealarm.survey.tts.turns import Turns
from telealarm.words import TimelineWord
from tests.integration.stages import Stages
from tests.lab.key import KEY
from tests.lab.speed import limit
from tests.lab.waiting import until

NINES = "9" * 3900


def slow_engine(folder: Path) -> str:
    """An engine that does not end with a long text before there is a file `go`."""
    script = folder / "engine"
    script.write_text(
        "#!/bin/sh\n"
        f"if [ $(wc -c < $1) -gt 1000 ]; then echo long >> {folder}/begun;"
        f" while [ ! -e {folder}/go ]; do sleep 0.1; done; fi\n"
        "flite -t Hello -o $2\n"
    )
    script.chmod(0o755)
    return f"{script} {{text_file}} {{wav}}"


def runner(db: Database, folder: Path) -> SurveyRunner:
    speech = Speech({"*": slow_engine(folder)}, limit(60))
    return SurveyRunner(
        SessionServices(
            db,
            Client(url="http://127.0.0.1:1", user="nobody", password="", app="none"),
            Prompts(folder / "prompts", "http://127.0.0.1:1", speech, key=KEY),
            VoiceMessages(folder / "recordings"),
            files=Files(first=False),
        ),
        wait_seconds=limit(4),
    )


async def loud(stages: Stages, count: int) -> None:
    """One manager has so many calls that are due now, each with a long survey of its own."""

    def surveys() -> list[Survey]:
        owner = User.get(User.username == "manager")
        made = []
        for number in range(count):
            survey = Survey.create(owner=owner, name=f"long {number}")
            script = f"{number} {NINES}"
            Section.create(survey=survey, order=1, type=PlayMessage.number, script=script)
            made.append(survey)
        return made

    for number, survey in enumerate(await stages.write(surveys)):
        await stages.alarm(f"10{number:02}", survey=survey)


async def neighbour(stages: Stages, number: str, text: str) -> int:
    """Another manager has a call that is due now. Return its alarm."""

    def furnish() -> object:
        owner = User.create(username="neighbour", password_hash="-")
        survey = Survey.create(owner=owner, name="short")
        Section.create(survey=survey, order=1, type=PlayMessage.number, script=text)
        setting = CalendarSetting.create(
            owner=owner, label="n", survey=survey, aleg_gateway=stages.gateway
        )
        calendar = stages.new_calendar("n", setting)
        type(calendar).update(owner=owner).where(type(calendar).id == calendar.id).execute()
        calendar.owner = owner
        return calendar

    return await stages.alarm(number, calendar=await stages.write(furnish))  # type: ignore[arg-type]


def begun(folder: Path) -> int:
    """How many long texts the engine was given."""
    texts = folder / "begun"
    return len(texts.read_text().split()) if texts.exists() else 0


async def test_twelve_long_surveys_do_not_hold_up_a_neighbours_call(
    db: Database, tmp_path: Path
) -> None:
    stages = await Stages.build(db)
    survey = runner(db, tmp_path)
    await loud(stages, 12)
    theirs = await neighbour(stages, "2000", "Good morning.")
    calls = await stages.claim()
    assert len(calls) == 13
    loud_calls = [call for call in calls if call.alarm_id != theirs]
    (quiet_call,) = [call for call in calls if call.alarm_id == theirs]
    preparing = [asyncio.create_task(survey.prepare(call)) for call in loud_calls]
    await until(lambda: begun(tmp_path) == PLACES - 1, 30, "long texts are being spoken")
    # Not one of the long texts ends meanwhile.
    await survey.prepare(quiet_call)
    assert begun(tmp_path) == PLACES - 1
    await asyncio.gather(*preparing)
    (tmp_path / "go").touch()
    timeline = await db.read(
        lambda: {
            (row.alarm_id, row.what)
            for row in Timeline.select().where(Timeline.what.startswith("speech_"))
        }
    )
    # The loud manager's own calls leave too, and their timelines say why they are late.
    assert timeline == {(call.alarm_id, TimelineWord.SPEECH_LATE) for call in loud_calls}


async def test_the_prompts_are_prefetched_in_turns_by_manager(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = await Stages.build(db)
    await loud(stages, 3)
    theirs = await neighbour(stages, "2000", "Good morning.")

    def in_a_moment() -> None:
        Alarm.update(due=utcnow() + (utcnow() - utcnow()).resolution * 40_000_000).execute()

    await stages.write(in_a_moment)
    order: list[int] = []
    survey = runner(db, tmp_path)

    async def render(script: object, seconds: float | None = None) -> list[object]:
        order.append(script.owner)  # type: ignore[attr-defined]
        return []

    monkeypatch.setattr(survey, "render", render)
    await PromptPrefetch(db, survey).step()
    owner = await db.read(lambda: Alarm.get_by_id(theirs).owner_id)
    assert owner in order[:2]
    assert len(order) == 4


async def test_a_tenant_never_holds_the_last_place() -> None:
    turns, order = Turns(3), []
    ends = asyncio.Event()

    async def work(tenant: int) -> None:
        async with turns.turn(tenant):
            order.append(tenant)
            await ends.wait()

    tasks = [asyncio.create_task(work(1)) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == [1, 1]
    tasks += [asyncio.create_task(work(tenant)) for tenant in (2, 2, 3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == [1, 1, 2]
    ends.set()
    await asyncio.gather(*tasks)
    assert sorted(order) == [1] * 10 + [2, 2, 3]
    # Those who hold nothing come first.
    assert order[3:5] in ([3, 2], [2, 3], [3, 1], [1, 3])


async def test_who_gives_up_waiting_frees_the_place() -> None:
    turns = Turns(1)
    async with turns.turn(1):
        waiting = asyncio.create_task(turns.turn(2).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(limit(5)):
        async with turns.turn(3):
            pass
