"""Alarms and their attempts: written, called off, taken up, asked for once more, read as a log."""

import asyncio
import csv
import io
from datetime import timedelta
from typing import Any

from telealarm.clock import utcnow
from telealarm.models import Alarm, AlarmRequest, CallRequest, User
from telealarm.words import AlarmStatus
from tests.integration.api_client import Api, Clinic, clinic, id_of
from tests.integration.test_api_events import alarm, due, event, put_status, told
from tests.lab.speed import limit

PENDING, IN_PROCESS, FAILURE, SUCCESS, MISSED, CANCELLED = (
    AlarmStatus.PENDING,
    AlarmStatus.IN_PROCESS,
    AlarmStatus.FAILURE,
    AlarmStatus.SUCCESS,
    AlarmStatus.MISSED,
    AlarmStatus.CANCELLED,
)


async def ready(api: Api, **fields: Any) -> tuple[Clinic, str, str]:
    """A clinic with an event and its alarm; the links."""
    made = await clinic(api)
    link = (await event(api, made))["url"]
    return made, link, (await alarm(api, link, **fields))["url"]


async def test_every_field_of_an_alarm_comes_back(api: Api) -> None:
    made, link, _ = await ready(api)
    sent = {
        "alarm_phonenumber": "600100200",
        "alarm_email": "ann@example.com",
        "daily_start": "08:30",
        "daily_stop": "20:00:30",
        "advance_notice": "60",
        "maxretry": "3",
        "retry_delay": 120,
        "method": "1",
        "survey": made.survey,
        "event": link,
        "date_start_notice": "2030-06-03 09:00:00",
        "url_cancel": "https://example.com/cancel",
        "url_confirm": "http://example.com:8080/confirm",
        "phonenumber_transfer": "+1 (555) 010-2030",
        "phonenumber_sms_failure": "600999999",
        "timezone": "America/New_York",
        "language": "en-GB",
        "max_lateness": 900,
        "require_result": "true",
        "retry_policy": {"busy": {"delay": "60", "count": 3}},
        "on_unknown": "miss",
        "missed_policy": "skip",
        "snooze_key": "2",
    }
    shown = await api.made("alarm/", sent)
    assert shown == {
        **sent,
        "url": shown["url"],
        "daily_start": "08:30:00",
        "advance_notice": 60,
        "maxretry": 3,
        "num_attempt": 0,
        "method": 1,
        "mail_template": None,
        "sms_template": None,
        "date_start_notice": "2030-06-03T09:00:00+02:00",
        "status": 1,
        "result": 0,
        "outcome": "open",
        "phonenumber_transfer": "+15550102030",
        "created_date": shown["created_date"],
        "require_result": True,
        "retry_policy": {"busy": {"delay": 60, "count": 3}},
        "status_reason": "",
        "about": None,
        "alarm_e164": None,
        "transfer_e164": "+15550102030",
        "sms_failure_e164": None,
        "follows_person": False,
        "reminder_step": None,
        "trigger": "",
        "by_hand": False,
        "beside": None,
    }
    assert await due(api, shown["url"]) == "2030-06-03 06:59"


async def test_an_alarm_that_is_over_when_it_is_written_is_not_owed(api: Api) -> None:
    made = await clinic(api)
    past = await event(api, made, start="2020-01-01 10:00", end="2020-01-01 11:00")
    one = await alarm(api, past["url"], phonenumber_sms_failure="600999999")
    assert (one["status"], one["status_reason"]) == (MISSED, "past")
    assert (await told(api, one["url"]))[-1] == ("missed", "was over when it was written")
    assert await due(api, one["url"]) is None


async def test_an_alarm_whose_notice_has_passed_goes_out_now(api: Api) -> None:
    made = await clinic(api)
    soon = (utcnow() + timedelta(hours=2)).isoformat()
    later = (utcnow() + timedelta(hours=3)).isoformat()
    link = (await event(api, made, start=soon, end=later))["url"]
    one = await alarm(api, link, advance_notice=24 * 3600)
    assert one["status"] == PENDING
    row = await api.db.read(lambda: Alarm.get_by_id(id_of(one["url"])))
    assert row.due < utcnow()


async def test_planning_is_woken_by_a_new_alarm(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    woken = api.db.stage("planning")
    woken.clear()
    await alarm(api, link)
    await asyncio.wait_for(woken.wait(), limit(5))


async def test_an_alarm_is_cancelled_and_taken_up_again(api: Api) -> None:
    _, _, one = await ready(api)
    await put_status(api, one, PENDING)
    reply = await api.patch(one, {"status": 7})
    assert (reply.status, reply.body["status"]) == (200, CANCELLED)
    (attempt,) = (await api.get(f"alarm-request/?alarm={one}")).body["results"]
    assert attempt["status"] == CANCELLED
    reply = await api.patch(one, {"status": "1"})
    assert (reply.status, reply.body["status"], reply.body["status_reason"]) == (200, PENDING, "")
    assert await due(api, one) == "2030-06-03 08:00"
    assert [what for what, _ in await told(api, one)] == ["created", "cancelled", "rearmed"]


async def test_a_status_that_clients_cannot_set(api: Api) -> None:
    _, _, one = await ready(api)
    for status in (2, 3, 4, 5, 6):
        reply = await api.patch(one, {"status": status})
        assert (reply.status, list(reply.body)) == (400, ["status"]), status
    await put_status(api, one, IN_PROCESS)
    assert (await api.patch(one, {"status": 1})).status == 400
    assert (await api.patch(one, {"status": 2, "maxretry": 1})).status == 200
    # What rings is taken back by the dialer; until then it stays in process.
    reply = await api.patch(one, {"status": 7})
    assert (reply.status, reply.body["status"]) == (200, 2)
    reply = await api.patch(one, {"num_attempt": 99, "status_reason": "x"})
    assert reply.status == 200
    assert (reply.body["num_attempt"], reply.body["result"]) == (1, 0)


async def test_an_edit_of_the_notice_moves_the_alarm(api: Api) -> None:
    _, _, one = await ready(api)
    await api.patch(one, {"advance_notice": 600})
    assert await due(api, one) == "2030-06-03 07:50"
    await api.patch(one, {"date_start_notice": "2030-06-03T06:00:00Z"})
    assert await due(api, one) == "2030-06-03 05:50"
    await api.patch(one, {"maxretry": 2})
    assert await due(api, one) == "2030-06-03 05:50"


async def test_one_more_attempt_is_asked_for(api: Api) -> None:
    _, _, one = await ready(api)
    woken = api.db.stage("dialing")
    woken.clear()
    attempt = await api.made("alarm-request/", {"alarm": one, "date": "2030-06-03 07:00"})
    await asyncio.wait_for(woken.wait(), limit(5))
    assert attempt == {
        "url": attempt["url"],
        "alarm": one,
        "date": "2030-06-03T05:00:00.000Z",
        "status": 1,
        "callstatus": 0,
        "duration": 0,
        "callrequest": None,
        "created_date": attempt["created_date"],
        "status_reason": "",
    }
    assert (await api.get(one)).body["status"] == IN_PROCESS
    reply = await api.post("alarm-request/", {"alarm": one})
    assert (reply.status, list(reply.body)) == (409, ["detail"])


async def test_of_many_who_ask_at_once_one_gets_an_attempt(api: Api) -> None:
    _, _, one = await ready(api)
    asked = [api.post("alarm-request/", {"alarm": one}) for _ in range(5)]
    replies = await asyncio.gather(*asked)
    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409, 409]
    assert (await api.get(f"alarm-request/?alarm={one}")).body["count"] == 1


async def test_an_alarm_can_be_called_off_whatever_its_profile_says(api: Api) -> None:
    made, _, one = await ready(api)
    await api.patch(f"calendar-user-profile/{id_of(made.user)}/", {"calendar_setting": None})
    assert (await api.patch(one, {"status": 7})).body["status"] == CANCELLED


async def test_a_finished_alarm_can_be_tried_once_more_at_any_time(api: Api) -> None:
    made = await clinic(api)
    past = await event(api, made, start="2020-01-01 10:00", end="2020-01-01 11:00")
    one = (await alarm(api, past["url"]))["url"]
    attempt = await api.made("alarm-request/", {"alarm": one})
    row = await api.db.read(lambda: AlarmRequest.get_by_id(id_of(attempt["url"])))
    assert row.expires is None
    assert abs((row.date - utcnow()).total_seconds()) < limit(10)


async def test_a_waiting_attempt_is_moved_or_cancelled(api: Api) -> None:
    _, _, one = await ready(api)
    made = await api.made("alarm-request/", {"alarm": one})
    attempt = made["url"]
    # What was read is written back, and nothing moves.
    assert (await api.patch(attempt, made)).body == made
    reply = await api.patch(attempt, {"date": "2030-06-03 09:30"})
    assert (reply.status, reply.body["date"]) == (200, "2030-06-03T07:30:00.000Z")
    assert (await api.patch(attempt, {"status": 5})).status == 400
    reply = await api.patch(attempt, {"status": 7})
    assert (reply.status, reply.body["status"]) == (200, CANCELLED)
    assert (await api.get(one)).body["status"] == CANCELLED
    reply = await api.patch(attempt, {"date": "2030-06-03 09:30"})
    assert reply.status == 409
    for method in ("PUT", "DELETE"):
        assert (await api.send(method, attempt, {})).status == 405


async def test_the_alarms_of_an_event(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    assert (await api.get(link + "get_list_alarm/")).body == {"note": "no child alarm found"}
    one = await alarm(api, link)
    listed = (await api.get(link + "get_list_alarm/")).body
    assert listed.pop("created_date").endswith("+00:00")
    assert listed == {
        "url": one["url"],
        "title": "t",
        "phonenumber": "+34600100200",
        "daily_start": "00:00:00",
        "daily_stop": "23:59:59",
        "advance_notice": "0",
        "maxretry": "0",
        "retry_delay": "0",
        "num_attempt": "0",
        "method": "1",
        "status": "1",
        "result": "0",
    }
    await alarm(api, link)
    assert len((await api.get(link + "get_list_alarm/")).body) == 2


async def test_the_nested_log(api: Api) -> None:
    made, link, one = await ready(api)
    two = (await alarm(api, link))["url"]

    def called() -> tuple[int, int, int]:
        row = Alarm.get_by_id(id_of(one))
        date = utcnow().replace(year=2026, microsecond=368534)
        first = AlarmRequest.create(
            owner=row.owner_id, alarm=row, date=date, status=4, callstatus=17
        )
        call = CallRequest.create(
            owner=row.owner_id,
            request=first,
            alarm=row,
            aleg_uuid="ta-1",
            endpoint="PJSIP/1@trunk",
            phone_number="600100200",
            gateway=id_of(made.gateway),
            survey=id_of(made.survey),
        )
        second = AlarmRequest.create(
            owner=row.owner_id, alarm=row, date=date, status=5, duration=13
        )
        return first.id, second.id, call.id

    first, second, call = await api.db.write(called)
    number = id_of(link)
    log = (await api.get(f"alarm-request/{number}/get_nested_alarm_request/")).body
    date = log[f"event-{number}"][f"alarm-{id_of(one)}"][f"alarm-request-{first}"]["date"]
    assert date.startswith("2026-")
    assert date.endswith(".368534+00:00")
    assert date[10] == " "
    base = f"{api.origin}/rest-api"
    assert log == {
        "event-url": link,
        f"event-{number}": {
            f"alarm-{id_of(one)}": {
                "url": one,
                f"alarm-request-{first}": {
                    "status": "4",
                    "url": f"{base}/alarm-request/{first}/",
                    "alarm-callrequest": f"{base}/callrequest/{call}/",
                    "duration": "0",
                    "date": date,
                    "callstatus": "17",
                },
                f"alarm-request-{second}": {
                    "status": "5",
                    "url": f"{base}/alarm-request/{second}/",
                    "alarm-callrequest": "",
                    "duration": "13",
                    "date": date,
                    "callstatus": "0",
                },
            },
            f"alarm-{id_of(two)}": {"url": two},
        },
    }
    shown = (await api.get(f"alarm-request/{first}/")).body
    assert shown["callrequest"] == f"{base}/callrequest/{call}/"
    assert (await api.get(shown["callrequest"])).body["phone_number"] == "600100200"


async def test_the_timeline_tells_what_happened_in_order(api: Api) -> None:
    _, link, one = await ready(api)
    await api.patch(link, {"status": 3})
    await api.patch(link, {"status": 1})
    attempt = await api.made("alarm-request/", {"alarm": one})
    timeline = (await api.get(one + "timeline/")).body
    assert [entry["what"] for entry in timeline["results"]] == [
        "created",
        "paused",
        "resumed",
        "due",
    ]
    assert timeline["count"] == 4
    assert timeline["results"][-1]["request"] == attempt["url"]
    assert timeline["results"][0]["request"] is None
    page = (await api.get(one + "timeline/?page_size=1&page=2")).body
    assert [entry["what"] for entry in page["results"]] == ["paused"]
    assert page["next"] == f"{one}timeline/?page_size=1&page=3"


async def test_an_alarm_has_its_owner_from_its_event(api: Api) -> None:
    _, link, _ = await ready(api)
    made = await api.made("alarm/", {"event": link, "alarm_phonenumber": "600100200"}, user="root")
    owner = await api.db.read(
        lambda: User.get_by_id(Alarm.get_by_id(id_of(made["url"])).owner_id).username
    )
    assert owner == "manager"


async def test_what_was_carried_out_keeps_what_its_history_is_about(api: Api) -> None:
    made, _, one = await ready(api)
    other = (await event(api, made))["url"]

    def carried_out() -> None:
        Alarm.update(status=AlarmStatus.FAILURE, num_attempt=2, due=None).where(
            Alarm.id == id_of(one)
        ).execute()

    before = (await api.get(one)).body
    await api.db.write(carried_out)
    for body in ({"alarm_phonenumber": "600999999"}, {"event": other}):
        reply = await api.patch(one, body)
        assert reply.status == 409
        assert f"its {next(iter(body))} stays as it was" in reply.body["detail"]
    # Not by taking it up again either; what its history does not tell can be edited.
    reply = await api.patch(one, {"status": 1, "alarm_phonenumber": "600999999"})
    assert reply.status == 409
    assert (await api.patch(one, {"maxretry": 5})).status == 200
    after = (await api.get(one)).body
    assert (await api.put(one, after)).status == 200
    assert after["alarm_phonenumber"] == before["alarm_phonenumber"]


async def test_a_number_that_was_never_rung_can_be_mended(api: Api) -> None:
    _, _, one = await ready(api)
    await api.patch(one, {"status": 7})
    reply = await api.patch(one, {"alarm_phonenumber": "600999999", "status": 1})
    assert (reply.status, reply.body["alarm_phonenumber"]) == (200, "600999999")


async def test_a_result_is_not_written_by_a_client(api: Api) -> None:
    made = await clinic(api)
    link = (await alarm(api, (await event(api, made))["url"]))["url"]
    for result in (1, "1", 0.5, None, [], "confirmed", True):
        reply = await api.patch(link, {"result": result, "maxretry": 3})
        assert reply.status == 400, result
        assert "recipient's answer" in reply.body["result"][0]
    # A client that sends back what it was shown changes nothing; nor do counters and reasons.
    for same in ({"result": 0}, {"result": "0"}, {"num_attempt": 7, "status_reason": "late"}):
        assert (await api.patch(link, same)).status == 200
    shown = (await api.get(link)).body
    assert (shown["result"], shown["num_attempt"], shown["status_reason"]) == (0, 0, "")
    assert (await api.put(link, {**shown, "result": 1})).body["result"] == 0


async def test_answered_without_a_key_never_looks_like_a_confirmation(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    # Status, result and method, and the word for them.
    ends = {
        "confirmed": (5, 1, 1),
        "answered_no_key": (5, 0, 1),
        "sent": (5, 0, 2),
        "other_key": (5, 7, 1),
        "unanswered": (3, 0, 1),
        "called_off": (7, 0, 1),
        "open": (4, 0, 1),
    }
    links = {}
    for word, (status, result, method) in ends.items():
        links[word] = (await alarm(api, link, method=method))["url"]
        settled = {"status": status, "result": result}
        query = Alarm.update(settled).where(Alarm.id == id_of(links[word]))
        await api.db.write(query.execute)
    sheet = csv.DictReader(io.StringIO((await api.get("alarm/?format=csv")).text))
    assert {row["url"]: row["outcome"] for row in sheet} == {
        url: word for word, url in links.items()
    }
    for word in ("confirmed", "answered_no_key", "unanswered", "open"):
        listed = (await api.get(f"alarm/?outcome={word}")).body["results"]
        assert [row["url"] for row in listed] == [links[word]]


async def test_a_sheet_says_who_when_which_number_what_they_answered_and_what_is_noted(
    api: Api,
) -> None:
    made = await clinic(api)
    zoned = {"start": "2030-06-03 09:00", "end": None, "timezone": "America/New_York"}
    named = {"data": {"name": "Zoë =1+1"}, "description": "=1+1\nBring the X-ray"}
    first = await event(api, made, **zoned, **named)
    second = await event(api, made, title="@Eva", start="2030-06-03 17:00", end=None)
    third = await event(api, made, title="Ada", start="2030-06-03 18:00", end=None)
    links = [
        (await alarm(api, first["url"], alarm_phonenumber="+34600100200"))["url"],
        (await alarm(api, second["url"], alarm_phonenumber="0600100200"))["url"],
        (await alarm(api, third["url"], alarm_phonenumber="101", method=2))["url"],
    ]

    def settled() -> None:
        for link, status, result in zip(links, (5, 5, 3), (1, 7, 0), strict=True):
            written = Alarm.update(status=status, result=result)
            written.where(Alarm.id == id_of(link)).execute()

    await api.db.write(settled)
    text = (await api.get("alarm/?format=csv")).text
    assert text.startswith("\ufeffname,local_time,number,answer,note,attended,url,")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    columns = ("name", "local_time", "number", "answer", "note", "url")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        (
            *("Zoë =1+1", "2030-06-03 09:00", "\t+34600100200", "confirmed"),
            *("'=1+1\nBring the X-ray", links[0]),
        ),
        ("'@Eva", "2030-06-03 17:00", "\t0600100200", "key 7", "", links[1]),
        ("Ada", "2030-06-03 18:00", "\t101", "not reached", "", links[2]),
    ]
    assert not (await api.get("event/?format=csv")).text.startswith("\ufeff")


async def test_the_receptionists_sheets_of_today(api: Api) -> None:
    made = await clinic(api)
    days = ("2030-06-03 09:00", "2030-06-03 17:00", "2030-06-04 09:00")
    links = [
        (await alarm(api, (await event(api, made, start=day, end=None))["url"]))["url"]
        for day in days
    ]

    def settled() -> None:
        for link, status, reason, result in zip(
            links, (5, 3, 5), ("", "no_answer", ""), (2, 0, 2), strict=True
        ):
            Alarm.update(status=status, status_reason=reason, result=result).where(
                Alarm.id == id_of(link)
            ).execute()

    await api.db.write(settled)
    today = "event_start__gte=2030-06-03 00:00&event_start__lt=2030-06-04 00:00&format=csv"
    sheet = csv.DictReader(
        io.StringIO((await api.get(f"alarm/?{today}&outcome=cancelled,unanswered")).text)
    )
    found = [(row["url"], row["status_reason"]) for row in sheet]
    assert found == [(links[0], ""), (links[1], "no_answer")]
    for word, expected in (("cancelled", links[:1]), ("unanswered", links[1:2]), ("open", [])):
        rows = csv.DictReader(io.StringIO((await api.get(f"alarm/?{today}&outcome={word}")).text))
        assert [row["url"] for row in rows] == expected
    many = await api.get(f"alarm/?{today}&outcome={','.join(['open'] * 1500)}")
    assert many.status == 200
    wrong = await api.get("alarm/?outcome=cancelled,lost")
    assert wrong.status == 400
    assert "unanswered" in wrong.body["outcome"][0]
