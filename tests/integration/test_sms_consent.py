"""STOP, START, HELP and CANCEL: what people write about the messages themselves."""

from datetime import timedelta

import pytest
import pytest_asyncio
import time_machine

from telealarm.clock import utcnow
from telealarm.models import Alarm, SmsGateway
from telealarm.rules import sms_segments
from telealarm.store.messages import outbox
from telealarm.words import MessagePurpose
from tests.integration.api_client import Api
from tests.integration.sms_desk import NUMBER, Desk, open_desk

STOPPED = "You will get no more messages from us."
STARTED = "You will get messages from us again."


@pytest_asyncio.fixture
async def desk(api: Api) -> Desk:
    return await open_desk(api)


async def outcome(desk: Desk, text: str, id: str, sender: str = NUMBER) -> str:
    word: str = (await desk.reply(text, id=id, sender=sender)).body["outcome"]
    return word


async def listed(api: Api) -> list[tuple[str, bool]]:
    rows = (await api.get("dnc-contact/")).body["results"]
    return [(row["phone_number"], row["by_stop"]) for row in rows]


async def whats(desk: Desk, alarm: str) -> list[str]:
    return [row["what"] for row in (await desk.api.get(f"{alarm}timeline/")).body["results"]]


async def settings(desk: Desk, **values: str) -> None:
    link = (await desk.api.get("calendar-setting/")).body["results"][0]["url"]
    await desk.api.patch(link, values)


@pytest.mark.parametrize("text", ["START", "Unstop!", "start please"])
async def test_start_takes_back_what_stop_did(desk: Desk, text: str) -> None:
    alarm = await desk.remind()
    assert await outcome(desk, "STOP", "1") == "stopped"
    assert await listed(desk.api) == [(NUMBER, True)]
    assert await outcome(desk, text, "2") == "started"
    assert await outcome(desk, text, "2") == "started"  # delivered twice
    assert await listed(desk.api) == []
    assert [message.text for message in await desk.send()] == [STOPPED, STARTED]
    again = await desk.remind("Next")
    assert (await desk.api.get(again)).body["status"] == 5
    assert {"stop", "start"} <= set(await whats(desk, alarm))


async def test_stop_and_start_reach_every_spelling_of_the_number(desk: Desk) -> None:
    await desk.remind(alarm_phonenumber="600100200")
    await desk.remind(alarm_phonenumber="0034600100200")
    assert await outcome(desk, "STOP", "1") == "stopped"
    assert await outcome(desk, "START", "2") == "started"
    assert await listed(desk.api) == []


async def test_an_entry_that_a_person_wrote_stays_and_the_sender_is_told(desk: Desk) -> None:
    await desk.remind()
    dnc = (await desk.api.made("dnc-list/", {"name": "By hand"}))["url"]
    await desk.api.made("dnc-contact/", {"dnc": dnc, "phone_number": NUMBER})
    assert await outcome(desk, "STOP", "1") == "stopped_before"
    # STOP holds even if the other entry goes.
    assert sorted(await listed(desk.api)) == [(NUMBER, False), (NUMBER, True)]
    assert await outcome(desk, "START", "2") == "still_listed"
    assert await outcome(desk, "START", "3") == "still_listed"
    assert await listed(desk.api) == [(NUMBER, False)]
    (told,) = await desk.send()
    assert told.text == (
        "This number stays on our do-not-call list. Please contact us to change that."
    )


async def test_an_entry_of_stop_that_a_person_moved_is_theirs(desk: Desk) -> None:
    await desk.remind()
    await outcome(desk, "STOP", "1")
    dnc = (await desk.api.made("dnc-list/", {"name": "By hand"}))["url"]
    (row,) = (await desk.api.get("dnc-contact/")).body["results"]
    await desk.api.patch(row["url"], {"dnc": dnc})
    assert await outcome(desk, "START", "2") == "still_listed"
    assert await listed(desk.api) == [(NUMBER, False)]


async def test_yes_is_start_only_if_no_question_is_open(desk: Desk) -> None:
    alarm = await desk.remind()
    await outcome(desk, "STOP", "1")
    assert await outcome(desk, "YES", "2") == "taken"
    assert (await desk.result(alarm), await listed(desk.api)) == (1, [(NUMBER, True)])
    assert await outcome(desk, "yes", "3") == "started"
    assert await outcome(desk, "yes", "4") == "answered_before"
    assert await listed(desk.api) == []


async def test_start_without_stop_is_asked_as_any_other_text(desk: Desk) -> None:
    alarm = await desk.remind()
    assert await outcome(desk, "START", "1") == "unclear"
    (asked,) = await desk.send()
    assert (asked.purpose, await desk.result(alarm)) == ("unclear", 0)


@pytest.mark.parametrize("is_stopped", [False, True])
@pytest.mark.parametrize(
    ("text", "language", "how_to"),
    [
        ("HELP", "en", ("For no more messages reply STOP.", "To get messages again reply START.")),
        ("info", "en", ("For no more messages reply STOP.", "To get messages again reply START.")),
        ("Hilfe", "de", ("Keine mehr? Antworten Sie STOP.", "Wieder Nachrichten?")),
        ("AYUDA", "es", ("Para darse de baja, responda STOP.", "responda START.")),
    ],
)
async def test_help_says_who_writes_how_to_stop_and_the_number_to_ring(
    desk: Desk, text: str, language: str, how_to: tuple[str, str], is_stopped: bool
) -> None:
    await settings(desk, caller_name="Dr. Roth", callerid="+34910000000")
    alarm = await desk.remind(language=language)
    if is_stopped:
        await outcome(desk, "STOP", "1")
        await desk.send()
    assert await outcome(desk, text, "2") == "helped"
    (told,) = await desk.send()
    for words in ("Dr. Roth", how_to[is_stopped], "+34910000000"):
        assert words in told.text
    assert sms_segments.size(told.text).segments == 1
    assert (await desk.result(alarm), "help" in await whats(desk, alarm)) == (0, True)


async def test_a_machine_that_asks_for_help_for_ever_gets_it_five_times_a_day(desk: Desk) -> None:
    await desk.remind()
    for number in range(10):
        assert await outcome(desk, "HELP", str(number)) == "helped"
    assert len(await desk.send()) == 5
    with time_machine.travel(utcnow() + timedelta(days=1, minutes=1)):
        await outcome(desk, "HELP", "later")
        assert len(await desk.send()) == 1


async def test_cancel_cancels_the_appointment_and_asks_once_about_messages(desk: Desk) -> None:
    alarm = await desk.remind()
    assert await outcome(desk, "CANCEL", "1") == "taken"
    (told,) = await desk.send()
    assert told.text.startswith("Cancelled: Visit, ")
    assert told.text.endswith("No more messages at all? Reply STOP.")
    assert await outcome(desk, "Cancel!", "2") == "answered_before"
    assert (await desk.send(), await desk.result(alarm), await listed(desk.api)) == ([], 2, [])
    assert await outcome(desk, "stop", "3") == "stopped"


@pytest.mark.parametrize("text", ["2", "No", "cancel my appointment"])
async def test_a_clear_cancellation_asks_nothing(desk: Desk, text: str) -> None:
    await desk.remind()
    assert await outcome(desk, text, "1") == "taken"
    (told,) = await desk.send()
    assert "STOP" not in told.text


async def test_cancel_opts_out_where_the_gateway_says_so(desk: Desk) -> None:
    wrong = await desk.api.patch(desk.gateway["url"], {"sms_cancel": "both"}, user="root")
    assert (wrong.status, list(wrong.body)) == (400, ["sms_cancel"])
    assert (await desk.api.get(desk.gateway["url"])).body["sms_cancel"] == "appointment"
    await desk.api.patch(desk.gateway["url"], {"sms_cancel": "optout"}, user="root")
    alarm = await desk.remind()
    assert await outcome(desk, "Cancel my appointment", "1") == "taken"
    other = await desk.remind()
    assert await outcome(desk, "CANCEL", "2") == "stopped"
    assert [await desk.result(each) for each in (alarm, other)] == [2, 0]
    assert await listed(desk.api) == [(NUMBER, True)]
    assert (await desk.send())[-1].text == STOPPED


async def test_whoever_gets_the_bad_news_may_stop_it_too(desk: Desk) -> None:
    await desk.remind()
    phone = "+34600999999"

    def bad_news() -> None:
        alarm = Alarm.get()
        gateway = SmsGateway.get()
        purpose = MessagePurpose.FAILURE
        outbox.queue_sms(alarm, gateway, phone, "bad news", utcnow(), purpose=purpose)

    await desk.api.db.write(bad_news)
    assert len(await desk.send()) == 1
    assert await outcome(desk, "1", "1", phone) == "unknown_number"
    assert await outcome(desk, "STOP", "2", phone) == "stopped"
    assert len(await desk.send()) == 1
    await desk.api.db.write(bad_news)
    assert await desk.send() == []


async def test_an_answer_to_a_reply_is_one_segment_where_it_can_be(desk: Desk) -> None:
    title = "Revisión anual con la doctora Muñoz Castro en la consulta número veintiséis " * 2
    await desk.remind(title, language="es")
    assert await outcome(desk, "cancelar", "1") == "taken"
    (told,) = await desk.send()
    assert sms_segments.size(told.text).segments == 1
    assert told.text.startswith("Cancelado: Revision anual con la doctora Muñoz")
