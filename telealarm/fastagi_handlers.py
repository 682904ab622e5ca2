"""The FastAGI requests of dialplans: alarms for a caller, and orders that need no dialog.

    agi://host/due[,PIN]                  return the alarm for the caller
    agi://host/confirm,KEY[,PIN]          answer it, as the key would in its survey
    agi://host/wakeup[,0730[,daily]]      return the caller's wake-up call, or set one
    agi://host/wakeup,cancel

TELEALARM_STATUS is `ok`, `none` (nothing exists) or `refused`. TELEALARM_REASON says why.
"""

import logging
from collections.abc import Mapping

from telealarm.api.wakeup_booking import WakeupBooking
from telealarm.asterisk.agi import Question
from telealarm.clock import utcnow
from telealarm.errors import TeleAlarmError
from telealarm.rules import phone, wakeup
from telealarm.store.dialing import call_back, pins
from telealarm.store.dialing.call_back import CallBack
from telealarm.store.engine.database import Database

log = logging.getLogger(__name__)

# The channel variable that is read: the id of a calendar.
CALENDAR = "TELEALARM_CALENDAR"

Variables = Mapping[str, str]


class FastAgiHandlers:
    """Answers FastAGI requests with channel variables."""

    def __init__(self, db: Database, wakeups: WakeupBooking) -> None:
        self._db = db
        self._wakeups = wakeups

    async def answer(self, question: Question) -> Variables:
        """Return the variables to set. Every request gets an answer."""
        number = phone.caller(question.caller)
        if not number:
            return _refused("no caller id")
        calendar = question.variables.get(CALENDAR, "")
        if calendar and not (calendar.isascii() and calendar.isdigit() and len(calendar) < 10):
            return _refused("TELEALARM_CALENDAR is no id of a calendar")
        calendar_id = int(calendar) if calendar else None
        try:
            if question.script == "due":
                return await self._due(number, calendar_id, question.arguments)
            if question.script == "confirm":
                return await self._confirm(number, calendar_id, question.arguments)
            if question.script == "wakeup":
                return await self._wakeup(number, calendar_id, question.arguments)
        except TeleAlarmError as error:
            log.error("a FastAGI request is refused: %s", error)
            return _refused(str(error))
        return _refused("there is no such request; ask due, confirm or wakeup")

    async def _due(self, number: str, calendar_id: int | None, words: tuple[str, ...]) -> Variables:
        alarm = await self._find(number, calendar_id)
        if alarm is None:
            return {**_status("none"), "TELEALARM_DUE": "0"}
        if not await self._may_hear(alarm, words[:1]):
            return {**_refused("a PIN is asked for"), "TELEALARM_DUE": "0"}
        return {
            **_status("ok"),
            "TELEALARM_DUE": "1",
            "TELEALARM_ALARM": str(alarm.alarm_id),
            "TELEALARM_TITLE": alarm.title,
            "TELEALARM_LANGUAGE": alarm.language,
        }

    async def _confirm(
        self, number: str, calendar_id: int | None, words: tuple[str, ...]
    ) -> Variables:
        key = words[0] if words else ""
        if len(key) != 1 or key not in "123456789":
            return _refused("the key is one of 1 to 9")
        alarm = await self._find(number, calendar_id)
        if alarm is None:
            return _status("none")
        if not await self._may_hear(alarm, words[1:2]):
            return _refused("a PIN is asked for")
        why = await self._db.write(call_back.confirm, alarm.alarm_id, int(key), utcnow())
        if why:
            return _refused(why)
        return {**_status("ok"), "TELEALARM_ALARM": str(alarm.alarm_id)}

    async def _wakeup(
        self, number: str, calendar_id: int | None, words: tuple[str, ...]
    ) -> Variables:
        if calendar_id is None:
            return _refused("TELEALARM_CALENDAR names no calendar")
        if words[:1] == ("cancel",):
            return _status("ok" if await self._wakeups.cancel(calendar_id, number) else "none")
        if words:
            clock = wakeup.parse(words[0])
            often = words[1] if len(words) > 1 else "once"
            if clock is None or often not in ("once", "daily"):
                return _refused("a time is like 0730, and after it comes once or daily")
            booked = await self._wakeups.keep(calendar_id, number, clock, often == "daily")
        else:
            existing = await self._wakeups.find(calendar_id, number)
            if existing is None:
                return _status("none")
            booked = existing
        return {
            **_status("ok"),
            "TELEALARM_TIME": f"{booked.start:%H%M}",
            "TELEALARM_DATE": f"{booked.start:%Y-%m-%d}",
            "TELEALARM_DAILY": str(int(booked.daily)),
        }

    async def _find(self, number: str, calendar_id: int | None) -> CallBack | None:
        return await self._db.read(call_back.find, number, calendar_id, utcnow())

    async def _may_hear(self, alarm: CallBack, pin: tuple[str, ...]) -> bool:
        if not alarm.asks_pin:
            return True
        if not pin:
            return False
        return await self._db.write(pins.check, alarm.alarm_id, pin[0], utcnow(), withheld=False)


def _status(status: str, reason: str = "") -> dict[str, str]:
    return {"TELEALARM_STATUS": status, "TELEALARM_REASON": reason}


def _refused(reason: str) -> dict[str, str]:
    return _status("refused", reason)
