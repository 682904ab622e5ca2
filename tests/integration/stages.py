"""The stages on a database, without Asterisk: what they make of the rows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from telealarm.clock import utcnow
from telealarm.models import (
    Alarm,
    Calendar,
    CalendarSetting,
    CalendarUser,
    CalendarUserProfile,
    Event,
    Gateway,
    Section,
    SmsGateway,
    Survey,
    Timeline,
    User,
)
from telealarm.outcome.settler import Settler
from telealarm.planning.planner import Planner
from telealarm.sections.rating import Rating
from telealarm.store.alarms import alarms
from telealarm.store.dialing import call_progress, calls, workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import Database
from telealarm.store.messages.compose import Composer
from telealarm.store.survey import session_progress
from telealarm.words import Disposition

HOUR = timedelta(hours=1)


class Stages:
    """A manager's calendar with a setting, and a worker that plans, claims and settles."""

    def __init__(self, db: Database, holder: Holder) -> None:
        self.db = db
        self.holder = holder
        self.planner = Planner(db)
        self.settler = Settler(db)
        self.composer = Composer()
        self.admission = Admission(holder, self.composer)

    @classmethod
    async def build(cls, db: Database, worker: str = "one") -> "Stages":
        stages = cls(db, await db.write(workers.enter, worker, utcnow(), timedelta(seconds=30)))
        await db.write(stages._furnish)
        return stages

    def _furnish(self) -> None:
        owner = User.get(User.username == "manager")
        self.gateway = Gateway.create(name="main", gateways="PJSIP/{number}@trunk", extensions=True)
        sms = SmsGateway.create(name="sms", settings={"url": "http://127.0.0.1:1/"})
        self.sms_gateway = sms
        self.survey = Survey.create(owner=owner, name="s")
        self.section = Section.create(
            survey=self.survey,
            order=1,
            type=Rating.number,
            script="Press 1.",
            settings={"rating_laps": 3},
        )
        self.setting = CalendarSetting.create(
            owner=owner, label="s", survey=self.survey, aleg_gateway=self.gateway, sms_gateway=sms
        )
        self.calendar = self.new_calendar("c", self.setting)

    def new_calendar(self, name: str, setting: Any, **columns: Any) -> Calendar:
        owner = User.get(User.username == "manager")
        user = CalendarUser.create(owner=owner, username=name, password_hash="-")
        CalendarUserProfile.create(user=user, owner=owner, calendar_setting=setting)
        return Calendar.create(owner=owner, name=name, user=user, **columns)

    async def alarm(
        self,
        number: str = "100",
        *,
        start: datetime | None = None,
        calendar: Calendar | None = None,
        data: dict[str, Any] | None = None,
        **columns: Any,
    ) -> int:
        """An alarm of an event that starts now, and lasts for an hour."""

        def write() -> int:
            on = calendar or self.calendar
            begin = start or utcnow()
            event = Event.create(
                owner=on.owner_id,
                title="Visit",
                start=begin,
                end=begin + HOUR,
                creator=on.user_id,
                calendar=on,
                data=data,
            )
            made = Alarm.create(owner=on.owner_id, event=event, alarm_phonenumber=number, **columns)
            alarms.schedule(made, event)
            alarm_id: int = made.id
            return alarm_id

        return await self.db.write(write)

    async def claim(self, limit: int = 50) -> list[Call]:
        """Plan what is due, and claim what may be dialled now."""
        await self.planner.step()
        claimed = await self.db.write(self.admission.claim, utcnow(), limit)
        return claimed.calls

    async def place(self, call: Call) -> bool:
        return await self.db.write(calls.start, call, utcnow())

    async def end(
        self,
        call: Call,
        disposition: Disposition | None = Disposition.BUSY,
        cause: int = 17,
        key: str = "",
        *,
        finished: bool = True,
    ) -> None:
        """The call ends so, with this key, and is settled."""
        if disposition is Disposition.ANSWER:
            await self.db.write(call_progress.answered, call, utcnow())
            await self.db.write(session_progress.heard, call)
        if key:
            section = self.section.id
            await self.db.write(
                session_progress.keep, call, session_progress.Answer(section, key, True, None)
            )
        await self.db.write(
            call_progress.end,
            call,
            call_progress.End(
                disposition=disposition,
                cause=cause,
                why="",
                at=utcnow(),
                finished=finished,
            ),
        )
        await self.settler.step()

    async def get(self, alarm_id: int) -> Alarm:
        return await self.db.write(Alarm.get_by_id, alarm_id)

    async def words(self, alarm_id: int) -> list[tuple[str, str]]:
        """The alarm's timeline."""

        def read() -> list[tuple[str, str]]:
            rows = Timeline.select().where(Timeline.alarm == alarm_id).order_by(Timeline.id)
            return [(row.what, row.why) for row in rows]

        return await self.db.write(read)

    async def write(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return await self.db.write(fn, *args, **kwargs)
