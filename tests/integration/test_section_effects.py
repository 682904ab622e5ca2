"""What sections leave in the rows, on both databases: lists, messages, transfers, recordings."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from telealarm.clock import utcnow
from telealarm.models import (
    Alarm,
    CallRequest,
    DncContact,
    Gateway,
    LimitUse,
    Message,
    Section,
    SurveyResult,
    Transfer,
    User,
)
from telealarm.sections.base import SectionType
from telealarm.sections.call_transfer import CallTransfer
from telealarm.sections.do_not_call import DoNotCall
from telealarm.sections.play_message import PlayMessage
from telealarm.sections.record_message import RecordMessage
from telealarm.sections.sms import Sms
from telealarm.store.access import limits
from telealarm.store.dialing import call_progress
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.store.survey import (
    section_effects,
    session_progress,
    transfers,
    voice_messages,
)
from telealarm.store.survey.voice_messages import VoiceMessages
from telealarm.words import AlarmStatus, Disposition
from tests.integration.stages import Stages


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    yield await Stages.build(db)


async def answered(stages: Stages, kind: type[SectionType], **columns: Any) -> tuple[Call, int]:
    """A call that was answered, and a section of its survey; `columns` are the section's."""
    alarm = await stages.alarm(phonenumber_transfer="200", require_result=True)
    (call,) = await stages.claim()
    assert await stages.place(call)
    section = await stages.db.write(
        Section.create, survey=stages.survey, order=2, type=kind.number, **columns
    )
    await stages.db.write(call_progress.answered, call, utcnow())
    assert call.alarm_id == alarm
    return call, section.id


async def results(stages: Stages) -> list[str]:
    def read() -> list[str]:
        return [row.response for row in SurveyResult.select().order_by(SurveyResult.id)]

    return await stages.db.write(read)


async def test_a_number_is_put_on_a_list_once(stages: Stages) -> None:
    call, section = await answered(stages, DoNotCall)
    for _ in range(2):
        await stages.db.write(section_effects.block, call, section)
    contacts = await stages.db.write(lambda: [c.phone_number for c in DncContact.select()])
    assert contacts == ["100"]
    assert await results(stages) == ["added"]


async def test_whoever_adopts_a_call_sends_its_sms_no_second_time(stages: Stages) -> None:
    text = "{title}: see you."
    call, section = await answered(stages, Sms)
    for _ in range(2):
        await stages.db.write(section_effects.send, call, section, text, utcnow())
    (sent,) = await stages.db.write(lambda: list(Message.select()))
    assert (sent.recipient, sent.text) == ("100", "Visit: see you.")
    assert (sent.encoding, sent.segments) == ("GSM-7", 1)


async def test_an_agent_is_called_through_the_rules_of_the_gateway(stages: Stages) -> None:
    call, section = await answered(stages, CallTransfer)

    for columns in (
        {"allowed_prefixes": ["3"]},
        {"allowed_prefixes": [], "number_pattern": "9[0-9]+"},
        {"number_pattern": "", "maximum_call": 1},  # the callee's own call
        {"maximum_call": 0, "status": 0},
    ):
        await stages.db.write(Gateway.update(columns).execute)
        assert await stages.db.write(transfers.begin, call, section, "") is None
        assert await results(stages) == ["failed"]
    await stages.db.write(Gateway.update(status=1, addprefix="0", maximum_call=2).execute)
    agent = await stages.db.write(transfers.begin, call, section, "")
    assert agent is not None
    assert (agent.endpoint, agent.number) == ("PJSIP/0200@trunk", "200")
    assert agent.channel_id == f"{call.channel_id}-agent-1"
    # The agent's line takes up room too.
    assert await stages.db.write(transfers.begin, call, section, "") is None
    assert (await stages.words(call.alarm_id))[-1] == (
        "transfer_failed",
        "gateway main has 2 calls already",
    )


async def test_a_talk_with_an_agent_is_an_answer(stages: Stages) -> None:
    call, section = await answered(stages, CallTransfer)
    agent = await stages.db.write(transfers.begin, call, section, "")
    assert agent is not None
    await stages.db.write(transfers.taken, call, agent, utcnow())
    for _ in range(2):
        await stages.db.write(
            transfers.end, call, agent, "not_taken", Disposition.ANSWER, 16, utcnow()
        )
    await stages.end(call, Disposition.ANSWER, 16)
    assert (await stages.get(call.alarm_id)).status == AlarmStatus.SUCCESS
    assert await results(stages) == ["taken"]
    words = [what for what, _ in await stages.words(call.alarm_id)]
    assert words.count("transfer_ended") == 1


async def test_an_agent_whose_callee_is_gone_is_an_orphan(stages: Stages) -> None:
    call, section = await answered(stages, CallTransfer)
    agent = await stages.db.write(transfers.begin, call, section, "")
    assert agent is not None
    assert await stages.db.write(transfers.orphans, stages.holder) == []
    await stages.end(call, Disposition.ANSWER, 16)
    assert await stages.db.write(transfers.orphans, stages.holder) == [agent]
    await stages.db.write(transfers.orphan_ended, agent, utcnow())
    assert await stages.db.write(transfers.orphans, stages.holder) == []
    row = await stages.db.write(Transfer.get)
    assert row.ended is not None


async def test_a_section_marked_completed_makes_the_call_a_success(stages: Stages) -> None:
    call, section = await answered(stages, PlayMessage, completed=True)
    await stages.db.write(session_progress.enter, call, section, 0, "section 2")
    await stages.end(call, Disposition.ANSWER, 16)
    alarm = await stages.get(call.alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 0)
    assert "completed" in [what for what, _ in await stages.words(call.alarm_id)]


async def test_a_completed_section_that_a_key_leads_to_is_told_once(stages: Stages) -> None:
    call, section = await answered(stages, PlayMessage, completed=True)
    first = stages.section.id
    await stages.db.write(
        session_progress.keep, call, session_progress.Answer(first, "1", True, section, "section 2")
    )
    # As the session goes on there, is sent back, and comes again.
    for place in (section, first, section):
        what = "section 2" if place == section else ""
        await stages.db.write(session_progress.enter, call, place, 0, what)
    await stages.end(call, Disposition.ANSWER, 16)
    words = [what for what, _ in await stages.words(call.alarm_id)]
    assert words.count("completed") == 1
    assert (await stages.db.write(CallRequest.get_by_id, call.id)).completed


async def test_without_it_a_call_without_a_key_has_failed(stages: Stages) -> None:
    call, section = await answered(stages, Sms)
    await stages.db.write(section_effects.send, call, section, "x", utcnow())
    await stages.end(call, Disposition.ANSWER, 16)
    assert (await stages.get(call.alarm_id)).status_reason == "no_key"


async def test_a_recorded_message_goes_when_its_days_are_over(
    stages: Stages, tmp_path: Path
) -> None:
    folder = VoiceMessages(tmp_path / "recordings")
    call, section = await answered(stages, RecordMessage)
    old = folder.keep(b"old")
    assert await stages.db.write(section_effects.recorded, call, section, old, 2.0) == ""
    new = folder.keep(b"new")
    assert await stages.db.write(section_effects.recorded, call, section, new, 3.0) == old
    assert folder.path(new).stat().st_mode & 0o077 == 0
    (result,) = await stages.write(lambda: list(SurveyResult.select()))
    assert await stages.db.write(voice_messages.expire, [result.id]) == [new]
    folder.discard([old, new])
    assert list((tmp_path / "recordings").iterdir()) == []
    row = await stages.db.write(SurveyResult.get)
    assert (row.response, row.record_file) == ("recorded", "")
    assert (await stages.words(call.alarm_id))[-1][0] == "recording_deleted"


async def test_the_first_rating_that_counts_stays_unless_the_survey_says_last(
    stages: Stages,
) -> None:
    call, _ = await answered(stages, PlayMessage)

    async def rate(key: str) -> tuple[int, str, list[str]]:
        section = stages.section.id
        await stages.db.write(
            session_progress.keep, call, session_progress.Answer(section, key, True, section)
        )
        alarm = await stages.db.write(Alarm.get_by_id, call.alarm_id)
        row = await stages.db.write(CallRequest.get_by_id, call.id)
        return alarm.result, row.result, await results(stages)

    assert await rate("1") == (1, "1", ["1"])
    assert await rate("2") == (1, "1", ["1"])
    change = type(stages.survey).update(rating_counts="last")
    await stages.db.write(change.execute)
    assert await rate("3") == (3, "3", ["3"])


async def test_a_recorded_message_counts_to_the_audio_of_its_manager(stages: Stages) -> None:
    call, section = await answered(stages, RecordMessage)
    await stages.db.write(section_effects.recorded, call, section, "a" * 32, 10.0)

    def used() -> int:
        owner_id = CallRequest.get_by_id(call.id).owner_id
        return limits.used(limits.Use(owner_id, limits.AUDIO))

    assert await stages.db.read(used) == 160_000
    await stages.db.write(section_effects.recorded, call, section, "b" * 32, 20.0)
    room = await stages.db.read(lambda: limits.audio_room(CallRequest.get_by_id(call.id).owner_id))
    assert room == 5_000_000_000 - 480_000  # the replaced one shows at the next count

    def counted() -> int | None:
        User.update(max_audio_megabytes=1).execute()
        LimitUse.update(counted=None).execute()
        limits.freed(CallRequest.get_by_id(call.id).owner_id, limits.AUDIO)
        return limits.audio_room(CallRequest.get_by_id(call.id).owner_id)

    assert await stages.db.write(counted) == 1_000_000 - 320_000
