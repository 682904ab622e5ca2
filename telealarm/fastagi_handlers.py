"""What dialplans ask by FastAGI: what is due for a caller, and their orders that need no talking.

    agi://host/due[,PIN]                  what was meant for the caller
    agi://host/confirm,KEY[,PIN]          answers it, as the key would have in its survey
    agi://host/wakeup[,0730[,daily]]      tells the caller's wake-up call, or keeps one
    agi://host/wakeup,cancel

TELEALARM_STATUS is `ok`, `none` (nothing is there) or `refused`, and TELEALARM_REASON says why.
"""

import logging
from collections.abc import Mapping

from telealarm.api.wakeup_booking import WakeupBooking
from telealarm.asterisk.agi import Question
from telealarm.clock import utcnow
from telealarm.errors import TeleAlarmError
from telealarm.rules import phone, wakeup
from telealarm.store.dialing import call_back
from telealarm.store.dialing.call_back import CallBack
from telealarm.store.engine.database import Database

log = logging.getLogger(__name__)

# The channel's variable that is asked for: the id of a calendar.
CALENDAR = "TELEALARM_CALENDAR"

Said = Mapping[str, str]


class FastAgiHandlers:
    def __init__(self, db: Database, wakeups: WakeupBooking) -> None:
        self._db = db
        self._wakeups = wakeups

    async def answer(self, question: Question) -> Said:
        """The variables to set. Whatever is asked, there is an answer."""
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
            log.error("a question by FastAGI is refused: %s", error)
            return _refused(str(error))
        return _refused("there are due, confirm and wakeup")

    async def _due(self, number: str, calendar_id: int | None, words: tuple[str, ...]) -> Said:
        found = await self._found(number, calendar_id)
        if found is None:
            return {**_said("none"), "TELEALARM_DUE": "0"}
        if not await self._may_hear(found, words[:1]):
            return {**_refused("a PIN is asked for"), "TELEALARM_DUE": "0"}
        return {
            **_said("ok"),
            "TELEALARM_DUE": "1",
            "TELEALARM_ALARM": str(found.alarm_id),
            "TELEALARM_TITLE": found.title,
            "TELEALARM_LANGUAGE": found.language,
        }

    async def _confirm(self, number: str, calendar_id: int | None, words: tuple[str, ...]) -> Said:
        key = words[0] if words else ""
        if len(key) != 1 or key not in "123456789":
            return _refused("the key is one of 1 to 9")
        found = await self._found(number, calendar_id)
        if found is None:
            return _said("none")
        if not await self._may_hear(found, words[1:2]):
            return _refused("a PIN is asked for")
        why = await self._db.write(call_back.confirm, found.alarm_id, int(key), utcnow())
        if why:
            return _refused(why)
        return {**_said("ok"), "TELEALARM_ALARM": str(found.alarm_id)}

    async def _wakeup(self, number: str, calendar_id: int | None, words: tuple[str, ...]) -> Said:
        if calendar_id is None:
            return _refused("TELEALARM_CALENDAR names no calendar")
        if words[:1] == ("cancel",):
            return _said("ok" if await self._wakeups.cancel(calendar_id, number) else "none")
        if words:
            clock = wakeup.parse(words[0])
            often = words[1] if len(words) > 1 else "once"
            if clock is None or often not in ("once", "daily"):
                return _refused("a time is like 0730, and after it comes once or daily")
            booked = await self._wakeups.keep(calendar_id, number, clock, often == "daily")
        else:
            there = await self._wakeups.find(calendar_id, number)
            if there is None:
                return _said("none")
            booked = there
        return {
            **_said("ok"),
            "TELEALARM_TIME": f"{booked.start:%H%M}",
            "TELEALARM_DATE": f"{booked.start:%Y-%m-%d}",
            "TELEALARM_DAILY": str(int(booked.daily)),
        }

    async def _found(self, number: str, calendar_id: int | None) -> CallBack | None:
        return await self._db.read(call_back.find, number, calendar_id, utcnow())

    async def _may_hear(self, found: CallBack, pin: tuple[str, ...]) -> bool:
        if not found.asks_pin:
            return True
        if not pin:
            return False
        return await self._db.write(call_back.check_pin, found.alarm_id, pin[0], utcnow())


def _said(status: str, reason: str = "") -> dict[str, str]:
    return {"TELEALARM_STATUS": status, "TELEALARM_REASON": reason}


def _refused(reason: str) -> dict[str, str]:
    return _said("refused", reason)
