"""Alarms by SMS as the world sees them: the gateway's log, and a SIP phone that gets a MESSAGE."""

import aiohttp

from tests.acceptance.conftest import Plug, Practice, Practices
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import never_answers, takes_texts
from tests.lab.exchange import Exchange
from tests.lab.waiting import until


async def text_of(practice: Practice, text: str) -> str:
    """A new SMS template; its link."""
    made = await practice.clinic.rest.post("sms-template/", {"label": "t", "sms_text": text})
    link: str = made["url"]
    return link


async def test_an_sms_goes_out_and_its_answer_settles_the_call_of_the_same_event(
    practices: Practices, plug: Plug
) -> None:
    practice = await practices()
    phone = await plug("701", never_answers())
    template = await text_of(practice, "Dear patient, {doc_name} waits for you. Reply 1 or 2.")
    appointment = await practice.clinic.appointment(
        "+34600701701", method="2", sms_template=template
    )
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 0, 1)
    (sms,) = practice.sms.sent_to("+34600701701")
    assert sms.text == "Dear patient, Doctor Smith waits for you. Reply 1 or 2."
    call = await practice.clinic.rest.post(
        "alarm/",
        {
            "event": appointment.event,
            "alarm_phonenumber": "701",
            "advance_notice": 24 * 3600,
            "maxretry": 9,
            "retry_delay": 60,
        },
    )
    await phone.until("ringing", 30)
    (gateway,) = await practice.clinic.rest.results("sms-gateway/")
    said = {"from": "34600701701", "text": "Yes, thanks", "id": "reply-1"}
    async with aiohttp.ClientSession() as provider:
        for _ in range(2):
            async with provider.post(gateway["inbound_url"], json=said) as reply:
                assert (reply.status, await reply.json()) == (200, {"outcome": "taken"})
    assert (await practice.clinic.alarm(appointment))["result"] == 1
    await phone.until("cancelled", 30)
    await until(lambda: len(practice.sms.sent_to("+34600701701")) == 2, 30, "it is answered")

    async def called_off() -> bool:
        return bool((await practice.clinic.rest.get(call["url"]))["status"] == 7)

    await until(called_off, 30, "the call is called off")


async def test_killed_between_the_gateways_200_and_our_commit(practices: Practices) -> None:
    practice = await practices()
    practice.sms.delay = 0.0
    practice.sms.mood = "take_and_hang"
    template = await text_of(practice, "Hello")
    appointment = await practice.clinic.appointment(
        "600702", method="2", sms_template=template, maxretry=1, retry_delay=0
    )
    await until(lambda: practice.sms.sent_to("600702"), 30, "the gateway took it")
    await practice.serve.kill9()
    practice.sms.mood = "accept"
    await practice.serve.start()
    alarm = await practice.settled(appointment)
    words = await practice.words(appointment)
    # The gateway's log is the count: two, both told, and both with one id to tell them apart by.
    first, second = practice.sms.sent_to("600702")
    assert first.id == second.id
    assert (alarm["status"], alarm["num_attempt"]) == (5, 2)
    assert words.count("sms_unknown") == words.count("redial") == words.count("sms_sent") == 1
    metrics = f"{practice.serve.url}/metrics"
    async with aiohttp.ClientSession() as http, http.get(metrics) as said:
        assert "telealarm_messages_unknown_total 1.0" in await said.text()


async def test_a_sip_phone_receives_the_message(
    practices: Practices, plug: Plug, exchange: Exchange, asterisk: Asterisk
) -> None:
    ami = {"password": asterisk.ami_password, "port": asterisk.ami_port}
    practice = await practices(settings={"asterisk": {"ami": ami}})
    destination = f"pjsip:trunk/sip:{{to}}@127.0.0.1:{exchange.port}"
    phone = await plug("703", takes_texts())
    rest = practice.clinic.rest
    gateway = await rest.post(
        "sms-gateway/",
        {
            "name": "our Asterisk",
            "kind": "asterisk",
            "settings": {"destination": destination, "from": "sip:clinic@127.0.0.1"},
        },
    )
    setting = await rest.get(practice.clinic.setting)
    before = setting["sms_gateway"]
    await rest.patch(practice.clinic.setting, {"sms_gateway": gateway["url"]})
    try:
        template = await text_of(practice, "¿Viene? {doc_name} €")
        appointment = await practice.clinic.appointment("703", method="2", sms_template=template)
        alarm = await practice.settled(appointment)
        timeline = await practice.clinic.timeline(appointment)
        assert alarm["status"] == 5, timeline
        await phone.until("text ¿Viene? Doctor Smith €", 30)
        # What is too long for one MESSAGE comes in two.
        template = await text_of(practice, "ñ" * 300 + "{doc_name}" + "ñ" * 300)
        appointment = await practice.clinic.appointment("703", method="2", sms_template=template)
        alarm = await practice.settled(appointment)
        timeline = await practice.clinic.timeline(appointment)
        assert alarm["status"] == 5, timeline
        first = "ñ" * 300 + "Doctor Smith"
        await phone.until(f"text {first}{'ñ' * 54}", 30)
        await phone.until(f"text {'ñ' * 246}", 30)
    finally:
        await rest.patch(practice.clinic.setting, {"sms_gateway": before})
