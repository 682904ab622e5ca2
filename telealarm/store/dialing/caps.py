"""The room that the caps of calendars and gateways leave for one claim."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from telealarm.models import AlarmRequest, Calendar, Gateway
from telealarm.store.dialing import concurrency
from telealarm.store.dialing.call_admission import (
    Admitted,
    Otherwise,
    Placement,
    unless_go,
)
from telealarm.store.dialing.call_rate import CallRate, Slot
from telealarm.store.dialing.concurrency import LiveCalls
from telealarm.store.dialing.contacts import Contacts
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import put
from telealarm.words import TimelineWord


class Caps:
    """The room for new calls. It is updated with each claimed request."""

    def __init__(self, live: LiveCalls, pace: CallRate) -> None:
        self.live = live
        self.pace = pace
        # Calendars whose queues yield no more requests now.
        self.closed: set[int] = set()

    def have_room(self, calendar: Calendar, gateway: Gateway, *, first: bool) -> bool:
        """Return whether the caps allow the call: the calendar's, the gateway's and its pace.

        `first`: no gateway was tried yet for the attempt.
        """
        if not self.live.calendar_has_room(calendar):
            self.closed.add(calendar.id)
            return False
        if self.live.gateway_has_room(gateway) and (
            not gateway.calls_per_second or self.pace.is_near(gateway.id)
        ):
            return True
        if first:
            self.closed.add(calendar.id)
        return False

    def take(self, calendar: Calendar, gateway: Gateway, ahead: timedelta) -> Slot | None:
        """Count the call and return its slot, or None if the gateway has no pace."""
        self.live.calendars[calendar.id] += 1
        self.live.gateways[gateway.id] += 1
        return self.pace.draw(gateway.id, ahead) if gateway.calls_per_second else None


class Round:
    """Which of the admitted requests are dialled now: `placed`. `left`: how many a cap holds back.

    A number has one call at a time, so a request may also wait for a call. `held`: what to write
    for those that the caps for a person hold back.
    """

    def __init__(self, admitted: Sequence[Admitted], caps: Caps, now: datetime) -> None:
        self.placed: list[Placement] = []
        self.held: list[tuple[AlarmRequest, Otherwise]] = []
        self.left = 0
        self._now = now
        self._waiting: list[Admitted] = []
        dialled = {one.dialled for one in admitted} if caps.live.calendars else ()
        live = concurrency.ringing(dialled)
        taken: set[str] = set()
        contacts = Contacts.of_requests([one.request for one in admitted], now)
        for one in admitted:
            calendar, gateway = one.request.alarm.event.calendar, one.gateway
            if calendar.id in caps.closed:
                self.left += 1
            elif not caps.have_room(calendar, gateway, first=not one.request.tried):
                self.left += 1
                if one.request.queue != calendar.id:
                    put(one.request, queue=calendar.id)  # its event was moved there
            elif one.dialled in live:
                _wait(one.request, one.dialled, live[one.dialled], now)
            elif one.dialled in taken:
                self._waiting.append(one)
            elif (held := contacts.held_back(one.request, now)) is not None and (
                otherwise := unless_go(one.request, held, now)
            ):
                self.held.append((one.request, otherwise))
            else:
                taken.add(one.dialled)
                slot = caps.take(calendar, gateway, one.ahead)
                contact = contacts.take(one.request.alarm, now + one.ahead)
                self.placed.append(Placement(one, slot, contact))

    def tell_others(self, new: Mapping[str, int]) -> None:
        """Let the others wait for the `new` calls: their ids, by the numbers that they dial."""
        for one in self._waiting:
            if one.dialled in new:
                _wait(one.request, one.dialled, new[one.dialled], self._now)


def _wait(request: AlarmRequest, dialled: str, call_id: int, now: datetime) -> None:
    """Let a request wait for the end of a call to the same number."""
    put(request, waits_for=call_id)
    why = f"{dialled} has another call"
    record(request.alarm_id, TimelineWord.WAITS, why, request_id=request.id, at=now)
