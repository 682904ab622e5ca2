"""People: as clients write them, and alarms that follow them."""

from typing import Any

from tests.integration.api_client import Api, Clinic, clinic, id_of

START = "2040-01-09 10:00"
ANN = {"name": "Ann Example", "first_name": "Ann", "numbers": ["+34600100200"]}


async def person(api: Api, **fields: Any) -> str:
    link: str = (await api.made("person/", {**ANN, **fields}))["url"]
    return link


async def visit(
    api: Api, made: Clinic, who: str | None, **alarm: Any
) -> tuple[str, dict[str, Any]]:
    """An event of the person, and its alarm, which has no number of its own."""
    body = {"title": "Dentist", "calendar": made.calendar, "start": START, "person": who}
    event = (await api.made("event/", body))["url"]
    return event, await api.made("alarm/", {"event": event, **alarm})


async def numbers_of(api: Api, event: str) -> list[tuple[str, bool]]:
    rows = (await api.get(f"alarm/?event={id_of(event)}")).body["results"]
    return [(row["alarm_phonenumber"], row["beside"] is not None) for row in rows]


async def test_a_person_is_written_and_found(api: Api) -> None:
    sent = {
        **ANN,
        "numbers": ["+34 600 100 200", "+34910100200"],
        "email": "ann@example.com",
        "language": "es",
        "timezone": "Europe/Madrid",
        "daily_start": "09:00",
        "daily_stop": "20:00:00",
        "consent": True,
        "consent_source": "form",
        "consent_date": "2026-03-02",
        "notes": "rings twice",
        "external_id": "P-1",
    }
    reply = await api.post("person/", sent)
    assert reply.status == 201 and reply.headers["Location"] == reply.body["url"], reply.text
    made = reply.body
    assert made["numbers"] == made["e164"] == ["+34600100200", "+34910100200"]
    assert (made["daily_start"], made["consent_date"]) == ("09:00:00", "2026-03-02")
    assert made["do_not_call"] is False and made["carer"] is None
    bob = await person(api, name="Bob", first_name="", numbers=["+34600100201"])
    for query in (
        *("number=%2B34600100200", "number=0034910100200", "number=600100200"),
        *(
            "name=Ann+Example",
            "external_id=P-1",
            "search=exam",
            "search=100200",
            "search=ann+twice",
        ),
    ):
        rows = (await api.get(f"person/?{query}")).body["results"]
        assert [row["url"] for row in rows] == [made["url"]], query
        assert rows[0]["numbers"] == made["numbers"]
    assert (await api.get("person/?number=34")).body["results"] == []
    assert (await api.get("person/?search=exam", user="other")).body["count"] == 0
    patched = await api.patch(made["url"], {"numbers": ["+34910100200"], "external_id": ""})
    assert (patched.body["numbers"], patched.body["external_id"]) == (["+34910100200"], None)
    assert (await api.get("person/?search=600100200")).body["count"] == 0
    put = await api.put(made["url"], patched.body)
    assert put.body == {**patched.body, "updated_date": put.body["updated_date"]}
    assert (await api.delete(bob)).status == 204 and (await api.get(bob)).status == 404


async def test_what_is_wrong_is_told_at_its_field(api: Api) -> None:
    ann = await person(api, external_id="P-1")
    bob = await person(api, name="Bob", carer=ann, carer_mode="also")
    for body, field in (
        ({"numbers": ["+34600100200", "hello"]}, "numbers"),
        ({"numbers": ["1" * 60]}, "numbers"),
        ({"numbers": "+34600100200"}, "numbers"),
        ({"external_id": "P-1"}, "external_id"),
        ({"daily_start": "09:00"}, "daily_stop"),
        ({"carer": ann}, "carer_mode"),
        ({"carer_mode": "instead"}, "carer"),
        ({"carer": 987654, "carer_mode": "also"}, "carer"),
        ({"consent_date": "2026-02-30"}, "consent_date"),
        ({"timezone": "Mars/Base"}, "timezone"),
    ):
        reply = await api.post("person/", {"name": "Cy", **body})
        assert reply.status == 400 and list(reply.body) == [field], (body, reply.text)
    round_about = await api.patch(ann, {"carer": bob, "carer_mode": "also"})
    assert round_about.status == 400 and "carer" in round_about.body
    assert (
        await api.post("person/", {"name": "Cy", "external_id": "P-1"}, user="other")
    ).status == 201


async def test_a_foreign_person_does_not_exist(api: Api) -> None:
    made, ann = await clinic(api), await person(api)
    await clinic(api, "other")
    theirs = (await api.get("calendar/", user="other")).body["results"][0]["url"]
    body = {"title": "x", "calendar": theirs, "start": START, "person": ann}
    for user in ("other", "root"):
        reply = await api.post("event/", body, user=user)
        assert reply.status == 400 and list(reply.body) == ["person"]
    for method in ("GET", "PATCH", "DELETE"):
        assert (await api.send(method, ann, {}, user="other")).status == 404
    assert (await api.get(f"event/?person={id_of(ann)}")).body["count"] == 0
    event, _ = await visit(api, made, ann)
    assert (await api.get(f"event/?person={id_of(ann)}")).body["results"][0]["url"] == event


async def test_alarms_follow_the_person(api: Api) -> None:
    made, ann = await clinic(api), await person(api, email="ann@example.com")
    event, alarm = await visit(api, made, ann)
    assert (alarm["alarm_phonenumber"], alarm["follows_person"]) == ("+34600100200", True)
    own = await api.made("alarm/", {"event": event, "alarm_phonenumber": "+34600100299"})
    mail = await api.made("alarm/", {"event": event, "method": "email", "survey": None})
    assert (own["follows_person"], mail["alarm_email"]) == (False, "ann@example.com")
    assert (await api.patch(ann, {"numbers": ["+34600100300", "+34600100200"]})).status == 200
    assert (await api.get(alarm["url"])).body["alarm_e164"] == "+34600100300"
    assert (await api.get(own["url"])).body["alarm_e164"] == "+34600100299"
    assert (await api.get("alarm/?search=600100300")).body["count"] == 2
    # What a client sends back changes nothing; a number of its own does; an empty one follows.
    shown = (await api.get(alarm["url"])).body
    assert (await api.put(alarm["url"], shown)).body["follows_person"] is True
    changed = await api.patch(alarm["url"], {"alarm_phonenumber": "+34600100400"})
    assert changed.body["follows_person"] is False
    back = await api.patch(alarm["url"], {"alarm_phonenumber": ""})
    assert (back.body["alarm_phonenumber"], back.body["follows_person"]) == ("+34600100300", True)
    # No number is taken away from an alarm that is ahead.
    refused = await api.patch(ann, {"numbers": []})
    assert refused.status == 400 and list(refused.body) == ["numbers"]
    assert (await api.delete(ann)).status == 409
    # Another person of the event.
    bob = await person(api, name="Bob", numbers=["+34600100500"], email="bob@example.com")
    assert (await api.patch(event, {"person": bob})).status == 200
    assert (await api.get(alarm["url"])).body["alarm_phonenumber"] == "+34600100500"
    assert (await api.get(mail["url"])).body["alarm_email"] == "bob@example.com"
    nobody = await person(api, name="Nobody", numbers=[])
    assert (await api.patch(event, {"person": nobody})).status == 400
    assert (await api.patch(event, {"person": None})).status == 200
    kept = (await api.get(alarm["url"])).body
    assert (kept["alarm_phonenumber"], kept["follows_person"]) == ("+34600100500", False)
    bare = {"title": "x", "calendar": made.calendar, "start": START}
    link = (await api.made("event/", bare))["url"]
    reply = await api.post("alarm/", {"event": link})
    assert reply.body == {"alarm_phonenumber": ["this field is required"]}


async def test_a_carer_is_asked_instead_or_also(api: Api) -> None:
    made, mother = await clinic(api), await person(api, name="Mother", numbers=["+34600100900"])
    child = await person(api, name="Child", numbers=["+34600100901"])
    event, alarm = await visit(api, made, child)
    assert await numbers_of(api, event) == [("+34600100901", False)]
    await api.patch(child, {"carer": mother, "carer_mode": "instead"})
    assert await numbers_of(api, event) == [("+34600100900", False)]
    await api.patch(child, {"carer_mode": "also"})
    assert await numbers_of(api, event) == [("+34600100901", False), ("+34600100900", True)]
    await api.patch(mother, {"numbers": ["+34600100999"]})
    second, _ = await visit(api, made, child)
    for each in (event, second):
        assert await numbers_of(api, each) == [("+34600100901", False), ("+34600100999", True)]
    assert (await api.delete(mother)).status == 409
    await api.delete(alarm["url"])
    assert await numbers_of(api, event) == []
    await api.patch(child, {"carer": None, "carer_mode": ""})
    assert await numbers_of(api, second) == [("+34600100901", False)]
