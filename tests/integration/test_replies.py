"""What comes back: replies and delivery reports of SMS gateways, and the links of mails."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
import time_machine

from telealarm import i18n
from telealarm.clock import utcnow
from telealarm.i18n.model import Language
from telealarm.models import Alarm, InboundSms, Message, SmsGateway
from telealarm.rules import placeholders
from telealarm.words import AlarmStatus
from tests.integration.api_client import Api, clinic, id_of
from tests.integration.sms_desk import NUMBER, Desk, open_desk


@pytest_asyncio.fixture
async def desk(api: Api) -> Desk:
    return await open_desk(api)


@pytest.mark.parametrize(
    ("text", "language", "result"),
    [
        ("1", "en", 1),
        (" Yes! ", "en", 1),
        ("CANCEL", "en", 2),
        ("3", "en", 3),
        ("Sí", "es", 1),
        ("anular por favor", "es", 2),
        ("Nein", "de", 2),
        ("oui", "en", 1),
    ],
)
async def test_a_reply_sets_the_result_as_a_key_would_and_is_answered_once(
    desk: Desk, text: str, language: str, result: int
) -> None:
    hook = "https://example.com/told"
    await desk.api.made("webhook/", {"target_url": hook, "events": ["alarm.result"]})
    own = {"url_confirm": "https://example.com/1", "url_cancel": "https://example.com/2"}
    alarm = await desk.remind(language=language, **own)
    said = await desk.reply(text, id="in-1")
    assert (said.status, said.body) == (200, {"outcome": "taken"})
    assert await desk.result(alarm) == result
    (answer,) = await desk.send()
    assert (answer.recipient, answer.purpose, answer.request_id) == (NUMBER, "answer", None)
    assert "Visit" in answer.text
    # Told twice, done once.
    assert (await desk.reply(text, id="in-1")).body == {"outcome": "taken"}
    assert await desk.send() == []
    words = [row["what"] for row in (await desk.api.get(f"{alarm}timeline/")).body["results"]]
    assert words.count("answer") == 1
    # And told as a key's is.
    called = {1: {hook, own["url_confirm"]}, 2: {hook, own["url_cancel"]}, 3: {hook}}
    told = (await desk.api.get("webhook-delivery/")).body["results"]
    assert {(one["type"], one["target_url"]) for one in told} == {
        ("alarm.result", url) for url in called[result]
    }


async def test_a_reply_that_comes_five_times_at_once_is_one(desk: Desk) -> None:
    alarm = await desk.remind()
    said = await asyncio.gather(*(desk.reply("1", id="x") for _ in range(5)))
    assert [one.body["outcome"] for one in said] == ["taken"] * 5
    assert len(await desk.send()) == 1
    words = [row["what"] for row in (await desk.api.get(f"{alarm}timeline/")).body["results"]]
    assert words.count("answer") == 1


async def test_the_latest_open_alarm_of_the_number_is_meant_however_it_is_written(
    desk: Desk,
) -> None:
    first = await desk.remind("First")
    other = await desk.remind("Another's", alarm_phonenumber="+34600100201")
    second = await desk.remind("Second")
    assert (await desk.reply("1", id="a", sender="0034 600 100 200")).body["outcome"] == "taken"
    assert [await desk.result(one) for one in (first, other, second)] == [0, 0, 1]
    assert (await desk.reply("2", id="b", sender="600100200")).body["outcome"] == "taken"
    assert [await desk.result(one) for one in (first, other, second)] == [2, 0, 1]
    assert (await desk.reply("1", id="c")).body["outcome"] == "answered_before"
    assert (await desk.reply("1", id="d", sender="700100200")).body["outcome"] == "unknown_number"


async def test_what_is_not_understood_is_asked_once(desk: Desk) -> None:
    alarm = await desk.remind()
    texts = ["2 of us will come", "2 minutes late", "2 pm?", "1 pm?", "1 or 2?", "", "12", "🙂"]
    for number, text in enumerate(texts):
        assert (await desk.reply(text, id=str(number))).body["outcome"] == "unclear"
    assert await desk.result(alarm) == 0
    (asked,) = await desk.send()
    assert asked.text == "Please reply 1 to confirm, 2 to cancel or 3 for another time."


@pytest.mark.parametrize("is_over", [True, False])
async def test_a_reply_that_comes_too_late_is_told_so_once(desk: Desk, is_over: bool) -> None:
    alarm = await desk.remind(language="es")
    if is_over:
        past = {"start": str(utcnow() - timedelta(hours=2)), "end": str(utcnow())}
        await desk.api.patch((await desk.api.get(alarm)).body["event"], past)
    else:
        await desk.api.patch((await desk.api.get(alarm)).body["event"], {"status": 3})
        await desk.api.delete((await desk.api.get(alarm)).body["event"])
    for number, text in enumerate(["Sí", "¿Puedo ir el martes?", "2", "Sí"]):
        assert (await desk.reply(text, id=str(number))).body["outcome"] == "closed"
    (told,) = await desk.send()
    assert told.text.startswith("Visit, ")
    assert told.text.endswith("ya no se puede responder por SMS. Póngase en contacto con nosotros.")
    row = await desk.api.db.read(Alarm.get)
    assert row.result == 0


async def test_another_answer_than_the_first_is_told_where_to_turn_to_and_thanks_are_not(
    desk: Desk,
) -> None:
    alarm = await desk.remind()
    assert (await desk.reply("1", id="a")).body["outcome"] == "taken"
    await desk.send()
    for number, text in enumerate(["Thanks!", "yes", "1", "🙂"]):
        assert (await desk.reply(text, id=str(number))).body["outcome"] == "answered_before"
    assert await desk.send() == []
    for number, text in enumerate(["cancel", "2", "3", "cancel!"], 10):
        assert (await desk.reply(text, id=str(number))).body["outcome"] == "answered_before"
    (told,) = await desk.send()
    assert told.text.startswith("We already have your answer for Visit, ")
    assert told.text.endswith("To change it, please contact us.")
    assert await desk.result(alarm) == 1
    said = [row["why"] for row in (await desk.api.get(f"{alarm}timeline/")).body["results"]]
    assert {"Thanks!", "cancel!"} <= set(said)  # the staff can read it


async def test_two_machines_do_not_talk_for_ever(desk: Desk) -> None:
    for title in ("One", "Two", "Three"):
        await desk.remind(title)
    heard, number = ["I am out of office."], 0
    while heard and number < 100:
        for text in heard:
            number += 1
            await desk.reply(f"{text} I am out of office.", id=str(number))
        heard = [message.text for message in await desk.send()]
    assert number < 10


async def test_who_asked_for_no_more_messages_gets_none_in_answer(desk: Desk) -> None:
    alarm = await desk.remind()
    await desk.reply("stop", id="1")
    (told,) = await desk.send()
    assert told.text == "You will get no more messages from us."
    assert (await desk.reply("what?", id="2")).body["outcome"] == "unclear"
    assert (await desk.reply("2", id="3")).body["outcome"] == "taken"
    assert (await desk.reply("1", id="4")).body["outcome"] == "answered_before"
    assert await desk.result(alarm) == 2
    assert await desk.send() == []


async def test_stop_holds_for_the_number_with_its_country_too(desk: Desk) -> None:
    await desk.remind(alarm_phonenumber="600100200")
    assert (await desk.reply("stop", id="1", sender=NUMBER)).body["outcome"] == "stopped"
    later = await desk.remind(method=1, alarm_phonenumber="0034 600 100 200")
    assert (await desk.api.get(later)).body["status_reason"] == "do_not_call"


async def test_a_gateway_that_gives_no_ids_is_told_by_number_and_words(desk: Desk) -> None:
    alarm = await desk.remind()
    body = {"from": NUMBER, "text": "what?"}
    for _ in range(2):
        assert (await desk.api.post(desk.inbound, body, user=None)).body["outcome"] == "unclear"
    said = [row["what"] for row in (await desk.api.get(f"{alarm}timeline/")).body["results"]]
    assert said.count("reply_unclear") == 1
    body["text"] = "1"
    assert (await desk.api.post(desk.inbound, body, user=None)).body["outcome"] == "taken"
    other = {"from": "600 " + "(" * 150 + "999", "text": "1"}
    reply = await desk.api.post(desk.inbound, other, user=None)
    assert (reply.status, reply.body) == (200, {"outcome": "unknown_number"})


@pytest.mark.parametrize("text", ["OPT OUT", "opt-out", "opt_out", "REVOKE", "UNSUBSCRIBE", "End."])
async def test_whoever_opts_out_is_on_a_list_as_after_stop(desk: Desk, text: str) -> None:
    alarm = await desk.remind()
    assert (await desk.reply(text, id="1")).body["outcome"] == "stopped"
    (contact,) = (await desk.api.get("dnc-contact/")).body["results"]
    assert (contact["phone_number"], await desk.result(alarm)) == (NUMBER, 0)


async def test_stop_is_do_not_call(desk: Desk) -> None:
    hook = {"target_url": "https://example.com/told", "events": ["do_not_call.added"]}
    await desk.api.made("webhook/", hook)
    await desk.remind()
    assert (await desk.reply("STOP", id="1")).body["outcome"] == "stopped"
    (told,) = await desk.send()
    assert told.text == "You will get no more messages from us."
    assert (await desk.reply("stop", id="2")).body["outcome"] == "stopped_before"
    (contact,) = (await desk.api.get("dnc-contact/")).body["results"]
    assert contact["phone_number"] == NUMBER
    (told_on,) = (await desk.api.get("webhook-delivery/")).body["results"]
    assert told_on["type"] == "do_not_call.added"
    later = await desk.remind()
    assert (await desk.api.get(later)).body["status_reason"] == "do_not_call"
    assert await desk.send() == []


async def test_a_hook_takes_json_a_form_or_a_query_under_the_gateways_own_names(
    desk: Desk,
) -> None:
    settings = {
        "url": "http://127.0.0.1:9/",
        "inbound": {"from": "data.msisdn", "text": "data.body", "id": "data.id"},
    }
    await desk.api.patch(desk.gateway["url"], {"settings": settings}, user="root")
    alarm = await desk.remind()
    nested = {"data": {"msisdn": 34600100200, "body": "1", "id": 7}}
    assert (await desk.api.post(desk.inbound, nested, user=None)).body["outcome"] == "taken"
    assert await desk.result(alarm) == 1
    settings = {"url": "http://127.0.0.1:9/", "inbound": {"from": "From", "text": "Body"}}
    await desk.api.patch(desk.gateway["url"], {"settings": settings}, user="root")
    second = await desk.remind()
    said = await desk.api.post(
        desk.inbound,
        raw=b"From=%2B34600100200&Body=2&id=8",
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=none"},
        user=None,
    )
    assert (said.body["outcome"], await desk.result(second)) == ("taken", 2)
    third = await desk.remind()
    said = await desk.api.get(f"{desk.inbound}?From=%2B34600100200&Body=3&id=9", user=None)
    assert (said.body["outcome"], await desk.result(third)) == ("taken", 3)


async def test_a_gateway_of_kind_asterisk_has_its_hook_too(desk: Desk) -> None:
    settings = {"destination": "pjsip:trunk/sip:{to}@provider.example"}
    change = {"kind": "asterisk", "settings": settings}
    reply = await desk.api.patch(desk.gateway["url"], change, user="root")
    assert reply.status == 200, reply.text
    alarm = await desk.remind()
    said = await desk.api.get(f"{desk.inbound}?from=%2B34600100200&text=1", user=None)
    assert (said.body["outcome"], await desk.result(alarm)) == ("taken", 1)


async def test_hostile_hooks_are_refused_with_the_reason(desk: Desk) -> None:
    wrong = desk.inbound.replace("/inbound/", "x/inbound/")
    for url in (wrong, desk.inbound.replace("/sms/1/", "/sms/99/"), desk.inbound + "x/"):
        assert (await desk.api.post(url, {}, user=None)).status == 404
    for body, fields in (
        ({}, {"from", "text"}),
        ({"id": "1", "from": "Bob\r\nX: y", "text": ""}, {"from"}),
        ({"id": "1", "from": "call me", "text": ""}, {"from"}),
        ({"id": ["1"], "from": "600", "text": {}}, {"id", "text"}),
        ({"id": "1" * 201, "from": "600", "text": "\x00"}, {"id", "text"}),
    ):
        reply = await desk.api.post(desk.inbound, body, user=None)
        assert (reply.status, set(reply.body)) == (400, fields), reply.text
    for raw, status in (
        (b"{", 400),
        (b"[" * 70_000, 413),
        (b"x" * 1_000_000, 413),
        (b"[" * 60_000, 400),
        (b"\xff", 400),
    ):
        reply = await desk.api.post(desk.inbound, raw=raw, user=None)
        assert reply.status == status, reply.text
    for raw in (b"[]", b'"x"', b"null"):
        assert (await desk.api.post(desk.inbound, raw=raw, user=None)).status == 400
    lists = [NUMBER, "+34600100201"]
    for sender in (lists, ",".join(lists), f"{NUMBER};{NUMBER}", {"n": NUMBER}, True, 1.5, None):
        body = {"id": "1", "from": sender, "text": "1"}
        reply = await desk.api.post(desk.inbound, body, user=None)
        assert (reply.status, set(reply.body)) == (400, {"from"}), reply.text
    for encoding in ("gzip", "deflate"):
        reply = await desk.api.post(
            desk.inbound, raw=b"no such thing", user=None, headers={"Content-Encoding": encoding}
        )
        assert reply.status == 415, reply.text
    for body, fields in (
        ({"id": "1"}, {"status"}),
        ({"status": "ok"}, {"id"}),
        ([], {"id", "status"}),
    ):
        reply = await desk.api.post(desk.report, body, user=None)
        assert (reply.status, set(reply.body)) == (400, fields), reply.text
    assert await desk.api.db.read(InboundSms.select().count) == 0
    manager = await desk.api.get(desk.gateway["url"])
    assert not {"settings", "inbound_url", "report_url"} & set(manager.body)


async def test_a_report_comes_as_json_a_form_or_a_query_in_the_gateways_own_words(
    desk: Desk,
) -> None:
    settings = {
        "url": "http://127.0.0.1:9/",
        "report": {"id": "MessageSid", "status": "Status", "delivered": ["0"], "failed": ["7"]},
    }
    await desk.api.patch(desk.gateway["url"], {"settings": settings}, user="root")
    await desk.remind()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    raw = b"MessageSid=ref-1&Status=7&error=absent+subscriber"
    said = await desk.api.post(desk.report, raw=raw, headers=form, user=None)
    assert said.body == {"outcome": "failed"}
    said = await desk.api.get(f"{desk.report}?MessageSid=ref-1&Status=0", user=None)
    assert said.body == {"outcome": "delivered"}
    said = await desk.api.post(desk.report, {"MessageSid": "ref-1", "Status": 3}, user=None)
    assert said.body == {"outcome": "ignored"}
    (message,) = (await desk.api.get("message/")).body["results"]
    assert message["status"] == "delivered"


async def test_a_delivery_report_is_shown_in_the_gateways_words(desk: Desk) -> None:
    alarm = await desk.remind()
    (message,) = (await desk.api.get(f"message/?alarm={id_of(alarm)}")).body["results"]
    assert (message["status"], message["reference"]) == ("sent", "ref-1")
    assert (message["encoding"], message["segments"]) == ("GSM-7", 1)
    row = await desk.api.db.read(Message.get)
    for body, outcome in (
        ({"id": "ref-1", "status": "queued"}, "ignored"),
        ({"id": "nobody's", "status": "delivered"}, "unknown_message"),
        ({"id": row.uid, "status": "FAILED", "error": "absent subscriber"}, "failed"),
        ({"id": row.uid, "status": "FAILED", "error": "absent subscriber"}, "known"),
    ):
        reply = await desk.api.post(desk.report, body, user=None)
        assert (reply.status, reply.body) == (200, {"outcome": outcome})
    (message,) = (await desk.api.get("message/")).body["results"]
    assert (message["status"], message["said"]) == ("failed", "FAILED absent subscriber")
    await desk.api.post(desk.report, {"id": "ref-1", "status": "delivered"}, user=None)
    late = await desk.api.post(desk.report, {"id": "ref-1", "status": "EXPIRED"}, user=None)
    assert late.body == {"outcome": "known"}
    (message,) = (await desk.api.get("message/")).body["results"]
    assert message["status"] == "delivered"
    told = (await desk.api.get(f"{alarm}timeline/")).body["results"]
    words = [row["what"] for row in told]
    assert words.count("sms_undelivered") == words.count("sms_delivered") == 1
    assert (await desk.api.get("message/", user="other")).body["count"] == 0


# Links


async def links(desk: Desk, **alarm: Any) -> tuple[str, dict[str, str]]:
    mail = {"method": 3, "alarm_email": "ann@example.com", "alarm_phonenumber": "", **alarm}
    link = await desk.remind(**mail)
    text = (await desk.api.get("message/?method=3&ordering=-id")).body["results"][0]["text"]
    found = re.findall(r"http\S+/links/(\w+)-\S+", text)
    assert found == ["confirm", "cancel", "unsubscribe"]
    return link, dict(zip(found, re.findall(r"http\S+/links/\S+", text), strict=True))


async def test_looking_changes_nothing_and_the_button_does_it(desk: Desk) -> None:
    alarm, of = await links(desk, url_confirm="https://example.com/1")
    for kind in ("confirm", "cancel", "unsubscribe"):
        for method in ("GET", "HEAD"):
            page = await desk.api.send(method, of[kind], user=None)
            assert page.status == 200
            assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert await desk.result(alarm) == 0
    assert (await desk.api.get("dnc-contact/")).body["count"] == 0
    page = await desk.api.post(of["confirm"], user=None)
    assert (page.status, "It is confirmed." in page.text) == (200, True)
    assert await desk.result(alarm) == 1
    page = await desk.api.post(of["cancel"], user=None)
    assert "It is confirmed." in page.text
    assert await desk.result(alarm) == 1
    (told,) = (await desk.api.get("webhook-delivery/")).body["results"]
    assert (told["type"], told["target_url"]) == ("alarm.result", "https://example.com/1")


async def test_the_one_click_unsubscribe_lists_the_address(desk: Desk) -> None:
    _, of = await links(desk)
    one_click = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        page = await desk.api.post(
            of["unsubscribe"], raw=b"List-Unsubscribe=One-Click", headers=one_click, user=None
        )
        assert page.status == 200
    (contact,) = (await desk.api.get("dnc-contact/")).body["results"]
    assert (contact["email"], contact["phone_number"]) == ("ann@example.com", None)


async def test_a_link_that_was_changed_or_is_over_does_nothing(desk: Desk) -> None:
    alarm, of = await links(desk)
    token = of["confirm"]
    for changed in (
        token[:-1] + ("0" if token[-1] != "0" else "1"),
        token.replace("confirm", "cancel"),
        token.replace("confirm", "unsubscribe"),
        token + "-",
        token.rpartition("-")[0],
        token.rpartition("/")[0] + "/é-%00-1-2",
    ):
        for method in ("GET", "POST"):
            assert (await desk.api.send(method, changed, user=None)).status == 404
    await desk.api.patch(alarm, {"status": 7})
    await desk.api.delete((await desk.api.get(alarm)).body["event"])
    page = await desk.api.post(token, user=None)
    assert page.status == 410
    row = await desk.api.db.read(Alarm.get)
    assert row.result == 0


async def test_a_link_ends_with_its_time(desk: Desk) -> None:
    alarm, of = await links(desk)
    with time_machine.travel(utcnow() + timedelta(hours=6, seconds=1)):
        for kind in ("confirm", "cancel"):
            for method in ("GET", "POST"):
                page = await desk.api.send(method, of[kind], user=None)
                assert (page.status, "does not work any more" in page.text) == (410, True)
        assert (await desk.api.get(of["unsubscribe"], user=None)).status == 200
    with time_machine.travel(utcnow() + timedelta(days=366)):
        assert (await desk.api.post(of["unsubscribe"], user=None)).status == 410
    assert await desk.result(alarm) == 0


async def test_unsubscribe_is_for_whom_the_mail_went_to(desk: Desk) -> None:
    """An alarm between two attempts can be given another address."""
    alarm, of = await links(desk)
    retry = Alarm.update(status=AlarmStatus.RETRY)
    await desk.api.db.write(retry.execute)
    changed = await desk.api.patch(alarm, {"alarm_email": "bob@example.com"})
    assert changed.status == 200
    for method in ("GET", "POST"):
        page = await desk.api.send(method, of["unsubscribe"], user=None)
        assert (page.status, "ann@example.com" in page.text) == (200, True)
    (contact,) = (await desk.api.get("dnc-contact/")).body["results"]
    assert (contact["email"], contact["phone_number"]) == ("ann@example.com", None)


async def test_unsubscribe_in_an_sms_is_for_its_number(desk: Desk) -> None:
    template = {"label": "t", "sms_text": "{unsubscribe_url}"}
    made = await desk.api.made("sms-template/", template)
    await desk.remind(sms_template=made["url"])
    (message,) = (await desk.api.get("message/?method=2")).body["results"]
    assert message["segments"] == 1
    assert (await desk.api.post(message["text"], user=None)).status == 200
    (contact,) = (await desk.api.get("dnc-contact/")).body["results"]
    assert (contact["email"], contact["phone_number"]) == (None, NUMBER)


@pytest.mark.parametrize(
    ("language", "known", "asked", "button", "done", "no_more", "no_link"),
    [
        (
            *("es-MX", "es", "¿No enviar más mensajes a ann@example.com?", "Cancelar la cita"),
            *("Está cancelado.", "No enviaremos más mensajes a ann@example.com."),
            "Este enlace no está completo. Ábralo de nuevo.",
        ),
        (
            *("ja", "en", "No more messages to ann@example.com?", "Cancel the appointment"),
            *("It is cancelled.", "No more messages to ann@example.com."),
            "This link is not complete. Please open it anew.",
        ),
    ],
)
async def test_the_pages_speak_the_recipients_language(
    desk: Desk,
    language: str,
    known: str,
    asked: str,
    button: str,
    done: str,
    no_more: str,
    no_link: str,
) -> None:
    _, of = await links(desk, language=language)
    pages = [
        ("GET", "unsubscribe", asked),
        ("GET", "cancel", button),
        ("POST", "cancel", done),
        ("GET", "confirm", done),
        ("POST", "unsubscribe", no_more),
    ]
    for method, kind, words in pages:
        page = await desk.api.send(method, of[kind], user=None)
        assert (page.status, words in page.text) == (200, True), page.text
        assert f'<html lang="{known}">' in page.text
    browser = {"Accept-Language": f"{language};q=0.9, fr"}
    page = await desk.api.get(of["confirm"][:-1], user=None, headers=browser)
    assert (page.status, no_link in page.text) == (404, True)


def test_every_language_has_every_text() -> None:
    english = texts(i18n.LANGUAGES["en"])
    for language in i18n.LANGUAGES.values():
        assert texts(language).keys() - language.lacking == english.keys()
        for name, text in english.items():
            named = placeholders.lacking(texts(language)[name], {})
            assert sorted(named) == sorted(placeholders.lacking(text, {}))


def texts(language: Language) -> dict[str, str]:
    """What is written in the language, by name."""
    return {
        f"written.{part}.{name}": text
        for part, texts in language.written.model_dump().items()
        for name, text in texts.items()
    }


# Previews


async def test_a_preview_says_how_it_reads_what_it_costs_and_what_is_missing(desk: Desk) -> None:
    event = await desk.api.made(
        "event/",
        {"title": "Visit", "calendar": desk.calendar, "data": {"who": "<Ann>", "at": "10 €"}},
    )
    text = "Dear {who}, {what} {at} {confirm_url}"
    template = await desk.api.made("sms-template/", {"label": "t", "sms_text": text})
    shown = await desk.api.post(f"{template['url']}preview/", {"event": event["url"]})
    assert shown.status == 200, shown.text
    assert shown.body["missing"] == ["what"]
    assert shown.body["text"].startswith("Dear <Ann>, 10 € https://example.com/links/confirm")
    assert (shown.body["encoding"], shown.body["segments"]) == ("GSM-7", 1)
    await desk.api.patch(template["url"], {"sms_text": "😀" * 36})
    shown = await desk.api.post(f"{template['url']}preview/", {"event": event["url"]})
    assert (shown.body["encoding"], shown.body["segments"]) == ("UCS-2", 2)
    assert shown.body["left_out"] == ""
    await desk.api.patch(template["url"], {"sms_text": "ж" * 670 + "lost"})
    shown = await desk.api.post(f"{template['url']}preview/", {"event": event["url"]})
    assert (shown.body["text"], shown.body["segments"]) == ("ж" * 670, 10)
    assert shown.body["left_out"] == "lost"
    mail = {"label": "m", "subject": "{title} {when}", "message_html": "<p>{who}</p>"}
    template = await desk.api.made("mail-template/", mail)
    shown = await desk.api.post(f"{template['url']}preview/", {"event": event["url"]})
    assert (shown.body["subject"], shown.body["missing"]) == ("Visit", ["when"])
    assert shown.body["html"].startswith("<p>&lt;Ann&gt;</p>")
    assert shown.body["text"].startswith("<Ann>")
    foreign = await desk.api.made(
        "event/",
        {"title": "x", "calendar": (await clinic(desk.api, "other")).calendar},
        user="other",
    )
    for body in ({}, {"event": 999}, {"event": foreign["url"]}):
        wrong = await desk.api.post(f"{template['url']}preview/", body)
        assert (wrong.status, list(wrong.body)) == (400, ["event"])
    both = await desk.api.post(
        f"{template['url']}preview/", {"event": foreign["url"], "evnt": 1, "lang": "es"}
    )
    assert (both.status, sorted(both.body)) == (400, ["event", "evnt", "lang"])
    missing = f"event {id_of(foreign['url'])} does not exist"
    assert both.body["event"] == [missing]
    assert await desk.api.db.read(SmsGateway.select().count) == 1
