"""What an alarm by SMS or mail says: its template with the placeholders put in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from telealarm.errors import Invalid
from telealarm.models import Alarm, CalendarSetting
from telealarm.rules import phone, placeholders, sms
from telealarm.rules.states import Method
from telealarm.store import zones
from telealarm.store.wording import values

# Where an alarm names no template.
SMS_TEXT = "{title}: {start_date} {start_time}"


@dataclass(frozen=True)
class Composer:
    """Writes messages. `default_zone` is the configuration's."""

    default_zone: ZoneInfo
    has_mail_server: bool = False

    def message(self, alarm: Alarm, setting: CalendarSetting, now: datetime) -> dict[str, Any]:
        """The columns of the alarm's message. Raises Invalid where it cannot be written."""
        return self._sms(alarm, setting, now)

    def _sms(self, alarm: Alarm, setting: CalendarSetting, now: datetime) -> dict[str, Any]:
        if not phone.is_dialable(alarm.alarm_phonenumber):
            raise Invalid({"alarm_phonenumber": ["an alarm by SMS needs a phone number"]})
        template = alarm.sms_template
        own = str(setting.sms_gateway.settings.get("sender", ""))
        text = placeholders.fill(
            template.sms_text if template else SMS_TEXT, self.values(alarm, now)
        )
        return {
            "method": Method.SMS,
            "gateway": setting.sms_gateway,
            "recipient": alarm.alarm_phonenumber,
            "tail": phone.tail(alarm.alarm_phonenumber),
            "sender": (template.sender_phonenumber if template else "") or own,
            **sms.columns(text),
        }

    def values(self, alarm: Alarm, now: datetime) -> dict[str, object]:
        """What placeholders stand for."""
        start = alarm.event.start.astimezone(zones.of_recipient(alarm, self.default_zone))
        return {
            "start_date": f"{start:%Y-%m-%d}",
            "start_time": f"{start:%H:%M}",
            **values(alarm, alarm.event),
        }
