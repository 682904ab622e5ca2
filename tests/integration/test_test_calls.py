"""A sealed survey is tried on one number: through the same rows as every call."""

from typing import Any

from telealarm.models import Alarm, AlarmRequest, CalendarUserProfile, CallRequest, Event
from tests.integration.api_client import Api, Reply, clinic, id_of, sealed_survey
from tests.integration.stages import Stages


async def ring(api: Api, survey: str, number: Any = "600 100 200", **options: Any) -> Reply:
    return await api.post(f"{survey}call/", {"phonenumber": number}, **options)


async def test_one_story_from_the_request_to_the_call(api: Api) -> None:
    # The stages stand by; what they have of their own makes no difference.
    stages = await Stages.build(api.db)
    survey = await sealed_survey(api)
    reply = await api.post(
        f"{survey}call/", {"phonenumber": "600 100 200", "data": {"doc_name": "Smith"}}
    )
    assert reply.status == 201, reply.text
    made = reply.body
    assert reply.headers["Location"] == made["url"]
    alarm = (await api.get(made["alarm"])).body
    assert (alarm["alarm_phonenumber"], alarm["survey"], alarm["maxretry"]) == (
        "600100200",
        survey,
        0,
    )
    event = (await api.get(made["event"])).body
    assert (event["title"], event["data"]) == ("Trial call: Appointment", {"doc_name": "Smith"})
    assert (await api.get(made["url"])).body["alarm"] == made["alarm"]
    assert (await api.get(made["calls"])).body["count"] == 0
    (call,) = await stages.claim()
    assert (call.number, call.survey_id) == ("600100200", id_of(survey))
    assert (await api.get(made["calls"])).body["count"] == 1
    await stages.place(call)
    told = (await api.get(made["timeline"])).body["results"]
    assert [row["what"] for row in told] == ["created", "due", "originate"]
    # The next trial uses the same calendar.
    await ring(api, survey, "600100201")
    assert (await api.get("calendar/?name=trial calls 1")).body["count"] == 1
    assert (await api.get(f"event/?calendar={event['calendar']}")).body["count"] == 2


async def test_the_setting_that_uses_the_survey_says_how_to_call(api: Api) -> None:
    first = await clinic(api)
    survey = await sealed_survey(api)
    body = {"label": "second", "aleg_gateway": first.gateway, "survey": survey}
    second = await api.made("calendar-setting/", body)

    async def setting_of(reply: Reply) -> int | None:
        def read() -> int | None:
            event = Event.get_by_id(id_of(reply.body["event"]))
            profile = CalendarUserProfile.get(user=event.calendar.user_id)
            setting: int | None = profile.calendar_setting_id
            return setting

        return await api.db.read(read)

    assert await setting_of(await ring(api, survey)) == id_of(second["url"])
    unused = await sealed_survey(api)
    assert await setting_of(await ring(api, unused)) == id_of(first.setting)


async def test_what_is_wrong_is_said_and_makes_nothing(api: Api) -> None:
    survey = await sealed_survey(api)
    reply = await ring(api, survey)
    assert (reply.status, list(reply.body)) == (400, ["calendar-setting"])
    reply = await api.post(f"{survey}call/", {"phonenumber": "Ann", "data": [], "now": True})
    assert (reply.status, sorted(reply.body)) == (400, ["data", "now", "phonenumber"])
    assert (await ring(api, survey, user="other")).status == 404
    assert (await api.get("event/")).body["count"] == 0


async def test_sent_again_with_its_key_it_is_one_call(api: Api) -> None:
    made = await clinic(api)
    key = {"Idempotency-Key": "try"}
    first = await ring(api, made.survey, headers=key)
    again = await ring(api, made.survey, headers=key)
    assert (again.status, again.body) == (201, first.body)
    assert (await api.get("alarm-request/")).body["count"] == 1


async def test_lists_rules_and_time_hold_for_it(api: Api) -> None:
    stages = await Stages.build(api.db)
    survey = await sealed_survey(api)
    listed = await api.made("dnc-list/", {"name": "out"})
    await api.made("dnc-contact/", {"dnc": listed["url"], "phone_number": "600100200"})
    forbidden = (await ring(api, survey)).body
    stale = (await ring(api, survey, "600100201")).body

    def long_ago() -> None:
        # As if nothing could be placed for five minutes.
        AlarmRequest.update(expires="2020-01-01 00:00:00.000000").where(
            AlarmRequest.id == id_of(stale["url"])
        ).execute()
        Event.update(start="2020-01-01 00:00:00.000000", end="2020-01-01 00:05:00.000000").where(
            Event.id == id_of(stale["event"])
        ).execute()
        Alarm.update(due="2020-01-01 00:00:00.000000").where(
            Alarm.id == id_of(stale["alarm"])
        ).execute()

    await api.db.write(long_ago)
    assert await stages.claim() == []
    alarm = (await api.get(forbidden["alarm"])).body
    assert (alarm["status"], alarm["status_reason"]) == (3, "do_not_call")
    assert (await api.get(stale["alarm"])).body["status"] == 6
    assert await api.db.read(lambda: CallRequest.select().count()) == 0
