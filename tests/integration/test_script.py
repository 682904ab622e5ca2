"""From the section templates that a manager writes to what a call is told to say and to take."""

import asyncio
from typing import Any

from telealarm.config.model import Config
from telealarm.models import Alarm, CallRequest, Section, SurveyResult
from telealarm.rules.key_answers import ListedKeys, Number
from telealarm.sections.call_transfer import CallTransfer
from telealarm.sections.conference import Conference
from telealarm.store.survey import upcoming
from telealarm.store.survey.session_state import ScriptSection
from telealarm.store.survey.voice_messages import VoiceMessages
from tests.integration.api_client import Api, clinic, id_of, tone

EVERY_KEY = {f"key_{key}": f"label {key}" for key in range(10)}


async def script(api: Api, *sections: dict[str, Any], **setting: Any) -> list[ScriptSection]:
    """The sections of a sealed survey as the call of an alarm has them."""
    made = await clinic(api)
    if setting:
        await api.patch(made.setting, setting)
    template = await api.made("survey-template/", {"name": "s"})
    for section in sections:
        await api.made("section-template/", {"survey": template["url"], **section})
    sealed = await api.made(template["url"] + "seal/")
    event = await api.made(
        "event/", {"title": "t", "calendar": made.calendar, "data": {"who": "Ann"}}
    )
    alarm = await api.made(
        "alarm/",
        {"event": event["url"], "alarm_phonenumber": "600100200", "survey": sealed["url"]},
    )
    found = await api.db.read(upcoming.script, id_of(alarm["url"]))
    assert found is not None
    assert found.confirms is bool(setting.get("confirm_spoken"))
    return found.sections


async def test_every_option_of_a_section_reaches_its_call(api: Api) -> None:
    said, choice, every, rating, number, unchecked, message, agent, room = await script(
        api,
        {"type": 1, "script": "Hello {who}.", "retries": 2, "timeout": 7, "completed": True},
        {"type": 2, "script": "x", "key_1": "yes", "key_0": "no", "key_5": " ", "key_7": ""},
        {"type": 2, "script": "x", **EVERY_KEY},
        # Labels make no keys of a rating.
        {"type": 3, "script": "x", "rating_laps": 3, "key_9": "nine"},
        {"type": 4, "script": "x", "number_digits": 6, "min_number": 5, "max_number": 5},
        {"type": 4, "script": "x", "validate_number": False, "min_number": 5},
        {"type": 5, "script": "x", "recording_seconds": 17, "timeout": 0},
        {"type": 6, "confirm_script": "Take {who}?", "confirm_key": "#"},
        {"type": 8, "conference": "Board"},
        confirm_spoken=True,
    )
    assert (said.text, said.retries, said.timeout_seconds) == ("Hello Ann.", 2, 7)
    assert said.completes == "section 1" and not choice.completes
    assert choice.kind.answers() == ListedKeys(frozenset("01"))
    assert choice.kind.labels() == {"0": "no", "1": "yes"}
    assert every.kind.answers() == ListedKeys(frozenset("0123456789"))
    assert rating.kind.answers() == ListedKeys(frozenset("123"))
    assert number.kind.answers() == Number(6, 5, 5)
    assert unchecked.kind.answers() == Number(2, None, None)
    assert (message.kind.longest_recording_seconds(), message.timeout_seconds) == (17, 0)
    assert agent.scripts == ("Take Ann?",)
    assert isinstance(agent.kind, CallTransfer) and agent.kind.confirm_key == "#"
    assert isinstance(room.kind, Conference) and room.kind.conference == "Board"


async def test_a_recorded_message_is_its_managers_alone(api: Api, config: Config) -> None:
    folder = VoiceMessages(config.path(config.recordings.folder))
    file = await asyncio.to_thread(folder.keep, tone(0.1))
    made = await clinic(api)
    event = await api.made("event/", {"title": "t", "calendar": made.calendar})
    alarm = await api.made("alarm/", {"event": event["url"], "alarm_phonenumber": "600100200"})
    request = await api.made("alarm-request/", {"alarm": alarm["url"]})

    def record() -> int:
        call = CallRequest.create(
            owner=Alarm.get_by_id(id_of(alarm["url"])).owner_id,
            request=id_of(request["url"]),
            alarm=id_of(alarm["url"]),
            aleg_uuid="ta-1",
            endpoint="PJSIP/1@trunk",
            phone_number="600100200",
            gateway=id_of(made.gateway),
            survey=id_of(made.survey),
        )
        row = SurveyResult.create(
            call=call, section=Section.get(), response="recorded", record_file=file
        )
        result: int = row.id
        return result

    result = await api.db.write(record)
    link = f"result/{result}/download/"
    assert (await api.get(f"result/{result}/")).body["record_file"].endswith(link)
    assert (await api.get(f"result/{result}/", user="other")).status == 404
    for user, status in (("manager", 200), ("other", 404)):
        assert (await api.send("HEAD", link, user=user)).status == status
