"""Templates of mails and SMS: plain texts with placeholders, and headers that stay headers."""

import pytest

from tests.integration.api_client import Api, clinic

MAIL = {
    "label": "reminder",
    "template_key": "reminder-1",
    "from_email": "clinic@example.com",
    "from_name": "Clínica Núñez",
    "subject": "{doc_name}, {apt_date}",
    "message_plaintext": "Dear patient,\n\tsee you at {apt_date}.\n{0.__class__} {{x}} %s $x",
    "message_html": "<p>See you at {apt_date}</p>",
}
SMS = {
    "label": "reminder",
    "template_key": "",
    "sender_phonenumber": "+34600100200",
    "sms_text": "See you at {apt_date}\nBye",
}


@pytest.mark.parametrize(("path", "body"), [("mail-template/", MAIL), ("sms-template/", SMS)])
async def test_a_template_comes_back_as_it_was_written(
    api: Api, path: str, body: dict[str, str]
) -> None:
    made = await api.made(path, body)
    assert made == {
        **body,
        "url": made["url"],
        "created_date": made["created_date"],
        "updated_date": made["updated_date"],
    }
    reply = await api.put(made["url"], {**made, "label": "new"})
    assert (reply.status, reply.body["label"]) == (200, "new")
    assert (await api.get(f"{path}?label=new")).body["count"] == 1
    assert (await api.delete(made["url"])).status == 204


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("field", ["label", "template_key", "from_email", "from_name", "subject"])
async def test_a_header_is_one_line(api: Api, field: str, line_break: str) -> None:
    reply = await api.post("mail-template/", {**MAIL, field: f"a@b.c{line_break}Bcc: x@y.z"})
    assert (reply.status, list(reply.body)) == (400, [field])


@pytest.mark.parametrize(
    ("path", "field", "value", "said"),
    [
        ("mail-template/", "from_email", "a@b.c,d@e.f", "must be one address"),
        ("mail-template/", "from_email", "Ann <a@b.c>", "must be one address"),
        ("mail-template/", "from_email", "nobody", "must be one address"),
        ("mail-template/", "subject", "", "must not be empty"),
        ("mail-template/", "message_plaintext", "\x00", "must not hold control characters"),
        ("mail-template/", "template_key", "a b", "may hold letters"),
        ("sms-template/", "sms_text", "", "must not be empty"),
        ("sms-template/", "sms_text", "x" * 1001, "must have at most 1000 characters"),
        ("sms-template/", "sender_phonenumber", "a name too long", "must be a phone number, or"),
        ("sms-template/", "sender_phonenumber", "600\r\nX: y", "must be one line"),
        ("sms-template/", "sender_phonenumber", "<script>", "must be a phone number, or"),
    ],
)
async def test_each_mistake_says_what_would_be_right(
    api: Api, path: str, field: str, value: str, said: str
) -> None:
    right = MAIL if path == "mail-template/" else SMS
    reply = await api.post(path, {**right, field: value})
    assert (reply.status, list(reply.body)) == (400, [field])
    assert said in reply.body[field][0]


async def test_a_mail_says_something(api: Api) -> None:
    made = await api.made("mail-template/", {**MAIL, "message_html": ""})
    for method, path, body in (
        ("POST", "mail-template/", {**MAIL, "message_html": "", "message_plaintext": " "}),
        ("PATCH", made["url"], {"message_plaintext": ""}),
    ):
        reply = await api.send(method, path, body)
        assert (reply.status, list(reply.body)) == (400, ["message_plaintext"])


async def test_an_sms_comes_from_a_number_or_a_name(api: Api) -> None:
    for sender, kept in (("+34 600-100-200", "+34600100200"), ("My Clinic 1", "My Clinic 1")):
        made = await api.made("sms-template/", {**SMS, "sender_phonenumber": sender})
        assert made["sender_phonenumber"] == kept


async def test_an_alarm_names_its_templates_and_keeps_them(api: Api) -> None:
    book = await clinic(api)
    event = await api.made("event/", {"title": "t", "calendar": book.calendar})
    mail = await api.made("mail-template/", MAIL)
    sms = await api.made("sms-template/", SMS)
    alarm = await api.made(
        "alarm/",
        {
            "event": event["url"],
            "alarm_phonenumber": "600100200",
            "mail_template": mail["url"],
            "sms_template": sms["url"],
        },
    )
    assert (alarm["mail_template"], alarm["sms_template"]) == (mail["url"], sms["url"])
    for template in (mail, sms):
        reply = await api.delete(template["url"])
        assert reply.status == 409
        assert "alarm" in reply.body["detail"]
    reply = await api.patch(alarm["url"], {"mail_template": None, "sms_template": ""})
    assert (reply.body["mail_template"], reply.body["sms_template"]) == (None, None)
    assert (await api.delete(mail["url"])).status == 204
