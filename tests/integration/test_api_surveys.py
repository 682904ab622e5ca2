"""Surveys: written as templates, sealed into copies that never change."""

from typing import Any

from telealarm.clock import utcnow
from telealarm.models import Alarm, AlarmRequest, CallRequest, Section, SurveyResult
from tests.integration.api_client import Api, clinic, id_of


async def draft(api: Api, *sections: dict[str, Any]) -> tuple[str, list[str]]:
    """A template with these sections; the links of both."""
    template = await api.made("survey-template/", {"name": "s", "tts_language": "es"})
    made = [
        await api.made("section-template/", {"survey": template["url"], **section})
        for section in sections
    ]
    return template["url"], [section["url"] for section in made]


async def branch(api: Api, section: str, keys: str, goto: str | None = None) -> None:
    await api.made("branching-template/", {"section": section, "keys": keys, "goto": goto})


async def test_a_survey_is_written_sealed_and_read(api: Api) -> None:
    survey, (hello, rating, again, bye) = await draft(
        api,
        {"type": 1, "script": "Good morning {doc_name}\n"},
        {"type": 3, "script": "Press", "question": "Coming?", "rating_laps": "3"},
        {"type": 2, "script": "Again?", "key_1": "yes", "key_0": "no"},
        {"type": "hang up"},
    )
    await branch(api, hello, "0", rating)
    await branch(api, rating, "1", bye)
    await branch(api, rating, "timeout", again)
    await branch(api, again, "0")
    await branch(api, again, "any", rating)
    reply = await api.post(survey + "seal/")
    assert reply.status == 201, reply.text
    assert reply.headers["Location"] == reply.body["url"]
    assert reply.headers["Allow"] == "POST, OPTIONS"
    assert "/sealed-survey/" in reply.body["url"]
    shown = (await api.get(reply.body["url"])).body
    assert shown == reply.body
    assert (shown["name"], shown["tts_language"]) == ("s", "es")
    assert [section["order"] for section in shown["sections"]] == [1, 2, 3, 4]
    ids = [section["id"] for section in shown["sections"]]
    assert shown["sections"][1]["branchings"] == [
        {"keys": "1", "goto": ids[3]},
        {"keys": "timeout", "goto": ids[2]},
    ]
    assert shown["sections"][2]["branchings"] == [
        {"keys": "0", "goto": None},
        {"keys": "any", "goto": ids[1]},
    ]


async def test_what_cannot_be_sealed_is_told_by_section(api: Api) -> None:
    _, (elsewhere,) = await draft(api, {"type": 1, "script": "x"})
    survey, links = await draft(
        api,
        {"type": 1},
        {"type": 2, "script": "x"},
        {"type": 3, "script": "x", "rating_laps": 0},
        {"type": 4},
        {"type": 3, "script": "x", "rating_laps": 2},
        {"type": 7},
        {"type": 1, "script": "fine"},
    )
    await branch(api, links[4], "3")
    await branch(api, links[4], "1", elsewhere)
    await branch(api, links[5], "0")
    reply = await api.post(survey + "seal/")
    assert reply.status == 400
    names = [f"section-{id_of(link)}" for link in links]
    assert reply.body == {
        names[0]: ["script is empty; write what is to be spoken, or name an audiofile"],
        names[1]: ["a multi-choice needs keys; label at least one of key_0 to key_9"],
        names[2]: ["rating_laps must lie between 1 and 99"],
        names[3]: ["script is empty; write what is to be spoken, or name an audiofile"],
        names[4]: [
            "the branching for 3 can never be taken; keys: 1, 2, any, invalid, timeout",
            "the branching for 1 goes to another survey",
        ],
        names[5]: ["the branching for 0 can never be taken; keys: none"],
    }
    assert (await api.get("sealed-survey/")).body["count"] == 0


async def test_a_way_that_leads_nowhere_by_accident_is_told_by_section(api: Api) -> None:
    choice = {"type": 2, "script": "x", "key_1": "yes", "key_2": "no", "key_3": "what?"}
    survey, (hello, menu, ring, bye) = await draft(
        api, {"type": 1, "script": "x"}, choice, {"type": 1, "script": "x"}, {"type": 7}
    )
    await branch(api, hello, "timeout", menu)
    await branch(api, menu, "1", bye)
    await branch(api, ring, "0", ring)
    reply = await api.post(survey + "seal/")
    assert reply.status == 400
    assert reply.body == {
        f"section-{id_of(hello)}": [
            "nothing follows when it was heard; make a branching for 0 (goto null: the end)"
        ],
        f"section-{id_of(menu)}": [
            "the key 2 leads nowhere; make a branching for it, or for any (goto null: the end)",
            "the key 3 leads nowhere; make a branching for it, or for any (goto null: the end)",
        ],
        f"section-{id_of(ring)}": [
            "no branch leads from here to the end of the call; make one (goto null ends it)"
        ],
    }
    # What is meant is said, and then it is sealed.
    await branch(api, hello, "0", menu)
    await branch(api, menu, "any")
    found = (await api.get(f"branching-template/?section={id_of(ring)}")).body["results"]
    assert (await api.patch(found[0]["url"], {"goto": None})).status == 200
    assert (await api.post(survey + "seal/")).status == 201


async def test_sealing_says_what_a_section_of_its_type_lacks(api: Api) -> None:
    digits = {"type": 4, "script": "x", "number_digits": 2}
    survey, links = await draft(
        api,
        {**digits, "min_number": 20, "max_number": 10},
        {**digits, "min_number": 100, "max_number": 200},
        {**digits, "min_number": 20, "max_number": 10, "validate_number": False},
        {"type": 6, "confirm_key": "1"},
        {"type": 8},
        {"type": 10},
        {"type": 5},
    )
    await branch(api, links[2], "12")
    await branch(api, links[2], "123")
    await branch(api, links[6], "0")
    reply = await api.post(survey + "seal/")
    names = [f"section-{id_of(link)}" for link in links]
    assert reply.body == {
        names[0]: ["min_number is greater than max_number; no number would do"],
        names[1]: ["no number of number_digits digits lies between min_number and max_number"],
        names[2]: [
            "the branching for 123 can never be taken; keys: a number of up to 2 digits, any,"
            " invalid, timeout"
        ],
        names[3]: ["confirm_script is empty; write what the agent hears, and which key to press"],
        names[4]: ["conference is empty; name the conference that is joined"],
        names[5]: ["sms_text is empty; write what is to be sent"],
    }


async def test_a_survey_without_sections_is_not_sealed(api: Api) -> None:
    survey, _ = await draft(api)
    reply = await api.post(survey + "seal/")
    assert reply.status == 400
    assert "add one" in reply.body["sections"][0]


async def test_what_is_sealed_stays_as_it_is(api: Api) -> None:
    survey, (section,) = await draft(api, {"type": 1, "script": "x"})
    await branch(api, section, "0")
    branching = (await api.get("branching-template/")).body["results"][0]["url"]
    assert (await api.post(survey + "seal/")).status == 201
    for method, link, body in (
        ("PATCH", survey, {"name": "new"}),
        ("DELETE", survey, None),
        ("PATCH", section, {"script": "new"}),
        ("DELETE", section, None),
        ("PATCH", branching, {"keys": "any"}),
        ("DELETE", branching, None),
        ("POST", "section-template/", {"survey": survey, "type": 1}),
        ("POST", "branching-template/", {"section": section, "keys": "any"}),
        ("POST", survey + "seal/", None),
    ):
        reply = await api.send(method, link, body)
        assert reply.status == 409, (method, link, reply.text)
        assert "was sealed" in reply.body["detail"]


async def test_a_draft_goes_with_its_sections(api: Api) -> None:
    survey, (one, two) = await draft(api, {"type": 1, "script": "x"}, {"type": 7})
    await branch(api, one, "0", two)
    assert (await api.delete(two)).status == 204
    assert (await api.get("branching-template/")).body["count"] == 0
    assert (await api.delete(survey)).status == 204
    assert (await api.get(one)).status == 404


async def test_one_branching_for_a_key(api: Api) -> None:
    _, (section,) = await draft(api, {"type": 1, "script": "x"})
    await branch(api, section, "0")
    reply = await api.post("branching-template/", {"section": section, "keys": 0})
    assert (reply.status, list(reply.body)) == (400, ["keys"])


async def test_answers_are_counted_by_section_and_response(api: Api) -> None:
    made = await clinic(api)
    event = await api.made("event/", {"title": "t", "calendar": made.calendar})
    alarm = await api.made("alarm/", {"event": event["url"], "alarm_phonenumber": "600100200"})

    def answer() -> None:
        row = Alarm.get_by_id(id_of(alarm["url"]))
        section = Section.get()
        for number, key in enumerate(("1", "2", "1")):
            request = AlarmRequest.create(owner=row.owner_id, alarm=row, date=utcnow())
            call = CallRequest.create(
                owner=row.owner_id,
                request=request,
                alarm=row,
                aleg_uuid=f"ta-{number}",
                endpoint="PJSIP/1@trunk",
                phone_number="600100200",
                gateway=id_of(made.gateway),
                survey=id_of(made.survey),
            )
            SurveyResult.create(call=call, section=section, response=key)

    await api.db.write(answer)
    reply = await api.get(f"surveyaggregate/{id_of(made.survey)}/")
    assert reply.status == 200
    assert [(row["response"], row["count"]) for row in reply.body["results"]] == [
        ("1", 2),
        ("2", 1),
    ]
    assert set(reply.body["results"][0]) == {"survey", "section", "question", "response", "count"}
    assert reply.body["results"][0]["survey"] == made.survey
    assert reply.body["results"][0]["question"] == "Will you come?"
    shown = (await api.get("callrequest/?phone_number=600100200")).body
    assert shown["count"] == 3
    assert shown["results"][0]["aleg_uuid"] == "ta-0"
    section = reply.body["results"][0]["section"]
    for query, count in (
        ("", 3),
        ("response=1", 2),
        (f"section={section}&response=2", 1),
        (f"section={section + 1}", 0),
        (f"callrequest={shown['results'][1]['url']}", 1),
    ):
        assert (await api.get(f"result/?{query}")).body["count"] == count, query
    found = (await api.get("result/")).body["results"][0]
    assert found == {
        "url": f"{api.origin}/rest-api/result/1/",
        "callrequest": shown["results"][0]["url"],
        "section": section,
        "response": "1",
        "record_file": None,
        "recording_duration": None,
        "created_date": found["created_date"],
    }
    assert (await api.get(found["url"])).body == found
    assert (await api.patch(found["url"], {"response": "3"})).status == 405
    # Another manager sees none of it.
    assert (await api.get("result/", user="other")).body["count"] == 0
    for link in (found["url"], found["callrequest"]):
        assert (await api.get(link, user="other")).status == 404
