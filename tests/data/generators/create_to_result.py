"""With the client of openapi-generator: from a calendar to the answer of a call.

Usage: create_to_result.py FOLDER ORIGIN USER PASSWORD GATEWAY. It prints the alarm's link, waits
for a line on its input, which says that the callee has answered, and prints what it then reads.
"""

import json
import sys
from datetime import UTC, datetime, timedelta

folder, origin, user, password, gateway = sys.argv[1:]
sys.path.insert(0, folder)

import client  # noqa: E402

configuration = client.Configuration(host=origin, username=user, password=password)
http = client.ApiClient(configuration)
now = datetime.now(UTC)


def row_id(link: str) -> int:
    return int(link.rstrip("/").rsplit("/", 1)[1])


template = client.SurveyTemplateApi(http).survey_template_create(
    client.SurveyTemplateNew(name="Appointment")
)
client.SectionTemplateApi(http).section_template_create(
    client.SectionTemplateNew(
        survey=template.url,
        type=client.SectionTemplateType.RATING,
        script="Press 1 to confirm.",
        rating_laps=3,
    )
)
sealed = client.SurveyTemplateApi(http).survey_template_seal(row_id(template.url))
setting = client.CalendarSettingApi(http).calendar_setting_create(
    client.CalendarSettingNew(label="clinic", survey=sealed.url, aleg_gateway=gateway)
)
doctor = client.CalendarUserApi(http).calendar_user_create(
    client.CalendarUserNew(username="doctor", password="a long pass phrase", email="d@example.com")
)
client.CalendarUserProfileApi(http).calendar_user_profile_change(
    row_id(doctor.url), client.CalendarUserProfilePatch(calendar_setting=setting.url)
)
calendar = client.CalendarApi(http).calendar_create(
    client.CalendarNew(name="book", user=doctor.url, timezone="Europe/Madrid")
)
event = client.EventApi(http).event_create(
    client.EventNew(
        title="Visit",
        calendar=calendar.url,
        start=now + timedelta(hours=1),
        end=now + timedelta(hours=2),
        data={"doc_name": "Smith"},
    )
)
assert event.start == (now + timedelta(hours=1)), (event.start, now)
assert event.status is client.EventStatus.PENDING
alarm = client.AlarmApi(http).alarm_create(
    client.AlarmNew(event=event.url, alarm_phonenumber="100", advance_notice=7200),
    idempotency_key="one alarm only",
)
again = client.AlarmApi(http).alarm_create(
    client.AlarmNew(event=event.url, alarm_phonenumber="100", advance_notice=7200),
    idempotency_key="one alarm only",
)
assert again.url == alarm.url
alarm = client.AlarmApi(http).alarm_change(
    row_id(alarm.url), client.AlarmPatch(maxretry=2, missed_policy=client.AlarmMissedPolicy.RUN)
)
assert (alarm.maxretry, alarm.missed_policy) == (2, client.AlarmMissedPolicy.RUN)
print(alarm.url, flush=True)

sys.stdin.readline()

alarm = client.AlarmApi(http).alarm_read(row_id(alarm.url))
attempts = client.AlarmRequestApi(http).alarm_request_list(alarm=alarm.url)
calls = client.CallrequestApi(http).callrequest_list(alarm=alarm.url)
results = client.ResultApi(http).result_list(callrequest=calls.results[0].url)
timeline = client.AlarmApi(http).alarm_timeline(row_id(alarm.url))
nested = client.AlarmRequestApi(http).alarm_request_get_nested_alarm_request(row_id(event.url))
only = client.EventApi(http).event_get_list_alarm(row_id(event.url))


def refused(call, *arguments) -> tuple[int, object]:
    """The status and the parsed body of an error."""
    try:
        call(*arguments)
    except client.ApiException as error:
        return error.status, error.data
    raise AssertionError("it was not refused")


stranger = client.ApiClient(client.Configuration(host=origin, username=user, password="wrong"))
status_400, wrong = refused(
    client.EventApi(http).event_create, client.EventNew(title="Visit", calendar="999999")
)
status_401, login = refused(client.EventApi(stranger).event_list)
status_403, forbidden = refused(client.UsersApi(http).users_list)
status_404, missing = refused(client.EventApi(http).event_read, 999_999)
status_409, conflict = refused(
    client.SurveyTemplateApi(http).survey_template_change,
    row_id(template.url),
    client.SurveyTemplatePatch(name="another"),
)
print(
    json.dumps(
        {
            "result": alarm.result,
            "outcome": alarm.outcome,
            "status": alarm.status,
            "attempts": [attempt.status for attempt in attempts.results],
            "calls": [call.disposition for call in calls.results],
            "answered": calls.results[0].answered.tzinfo is not None,
            "answers": [result.response for result in results.results],
            "timeline": [entry.what for entry in timeline.results],
            "nested": nested.event_url == event.url,
            "only": type(only.actual_instance).__name__,
            "errors": [status_400, status_401, status_403, status_404, status_409],
            "wrong": sorted(wrong.actual_instance),
            "details": [each.detail != "" for each in (login, forbidden, missing, conflict)],
        }
    )
)
