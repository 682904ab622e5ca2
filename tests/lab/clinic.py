"""A clinic's software, as its developer would write it against the REST API.

Its calls are those of the reference document: gateways, a survey that is sealed, a calendar
setting, a calendar user with a profile, a calendar; then for each appointment an event and an
alarm.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.lab.rest import JSON, Rest, number_of

SCRIPT = (
    "Hello, you have an appointment tomorrow with {doc_name} at {apt_date}."
    " Please press 1 to confirm, press 2 to cancel, or press 3 to reschedule."
)
UNSETTLED = (1, 2, 4)


@dataclass(frozen=True)
class Appointment:
    """An event and its alarm."""

    event: str
    alarm: str
    number: str


class Clinic:
    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self.setting = ""
        self.calendar = ""
        self._user = ""

    async def open(
        self,
        *,
        sms_url: str,
        endpoint: str = "PJSIP/{number}@trunk",
        script: str = SCRIPT,
        section: JSON | None = None,
        setting: JSON | None = None,
        calendar: JSON | None = None,
        name: str = "clinic",
    ) -> None:
        """Everything up to the calendar. `section`, `setting` and `calendar` add fields."""
        rest = self.rest
        gateway = await rest.post(
            "gateway/", {"name": name, "gateways": endpoint, "extensions": True}
        )
        sms = await rest.post(
            "sms-gateway/", {"name": name, "kind": "http", "settings": {"url": sms_url}}
        )
        survey = await rest.post("survey-template/", {"name": "Appointment"})
        await rest.post(
            "section-template/",
            {
                "survey": survey["url"],
                "type": 3,
                "question": "Will you come?",
                "script": script,
                "rating_laps": 3,
                "timeout": 3,
                **(section or {}),
            },
        )
        sealed = await rest.post(f"survey-template/{number_of(survey['url'])}/seal/", {})
        made = await rest.post(
            "calendar-setting/",
            {
                "label": "cal_setting",
                "callerid": "123456",
                "caller_name": "Clinic",
                "call_timeout": 6,
                "survey": sealed["url"],
                "aleg_gateway": gateway["url"],
                "sms_gateway": sms["url"],
                **(setting or {}),
            },
        )
        self.setting = made["url"]
        user = await rest.post(
            "calendar-user/",
            {"username": f"{name}-doctor", "password": "caluser3", "email": "doctor@example.com"},
        )
        self._user = user["url"]
        await rest.patch(
            f"calendar-user-profile/{number_of(user['url'])}/",
            {"accountcode": "35365532", "calendar_setting": str(number_of(made["url"]))},
        )
        made = await rest.post(
            "calendar/",
            {"name": "mynewcalendar", "max_concurrent": "0", "user": user["url"]}
            | (calendar or {}),
        )
        self.calendar = made["url"]

    async def appointment(
        self,
        number: str,
        *,
        due_in: float = 1.0,
        data: JSON | None = None,
        **alarm: Any,
    ) -> Appointment:
        """An appointment of tomorrow, whose reminder is due in some seconds."""
        start = datetime.now(UTC) + timedelta(days=1, seconds=due_in)
        event = await self.rest.post(
            "event/",
            {
                "title": "Appointment",
                "start": start.isoformat(),
                "end": (start + timedelta(minutes=30)).isoformat(),
                "creator": self._user,
                "calendar": self.calendar,
                "status": "1",
                "data": data or {"doc_name": "Doctor Smith", "apt_date": "half past ten"},
            },
        )
        made = await self.rest.post(
            "alarm/",
            {
                "event": event["url"],
                "alarm_phonenumber": number,
                "method": "1",
                "advance_notice": 24 * 3600,
                "maxretry": 1,
                "retry_delay": 2,
                **alarm,
            },
        )
        return Appointment(event["url"], made["url"], number)

    async def alarm(self, appointment: Appointment) -> JSON:
        return await self.rest.get(appointment.alarm)

    async def timeline(self, appointment: Appointment) -> list[JSON]:
        return await self.rest.results(f"{appointment.alarm}timeline/?page_size=1000")

    async def settled(self, appointment: Appointment) -> bool:
        """Whether the alarm has come to its end."""
        return (await self.alarm(appointment))["status"] not in UNSETTLED

    async def calls(self, appointment: Appointment) -> list[JSON]:
        """The calls to its number."""
        return await self.rest.results(f"callrequest/?phone_number={appointment.number}")

    async def nested(self, appointment: Appointment) -> JSON:
        """The nested log of the event."""
        event = number_of(appointment.event)
        return await self.rest.get(f"alarm-request/{event}/get_nested_alarm_request/")
