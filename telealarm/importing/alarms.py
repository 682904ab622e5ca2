"""The alarms of an imported event: what the file has changed in them since the last import."""

from datetime import datetime

from telealarm import methods
from telealarm.api.local_client import LocalClient
from telealarm.api.resources.alarms import AlarmForm
from telealarm.importing.draft import Body
from telealarm.methods import call
from telealarm.methods.base import AlarmMethod
from telealarm.models import Alarm, Event
from telealarm.store.alarms import renewal
from telealarm.store.calendars import called_off
from telealarm.words import UNSETTLED, AlarmStatus

Pair = tuple[int, Body]


class AlarmChanges:
    """Writes the alarms of one event. `said` has a sentence for each change."""

    def __init__(self, client: LocalClient, event: Event, now: datetime, *, moved: bool) -> None:
        self._client = client
        self._event = event
        self._now = now
        # The event has another time than before, and is still to come.
        self._moved = moved and event.start > now
        self.said: list[str] = []

    def write(self, old: list[Pair], wanted: list[Body]) -> list[Pair]:
        """Change the alarms from those of the old file to those of the new one.

        Return the new alarms with their ids. Alarms that were added here stay.
        """
        matched, gone = _match(old, wanted)
        pairs = [
            self._create(body) if pair is None else self._change(*pair, body)
            for pair, body in matched
        ]
        for alarm_id, _ in gone:
            self._drop(alarm_id)
        return pairs

    def _create(self, body: Body) -> Pair:
        alarm = self._client.create("alarm", body, {"event": self._event})
        self.said.append(f"an alarm to {_recipient(body)} is new")
        return alarm.id, body

    def _change(self, alarm_id: int, old: Body, new: Body) -> Pair:
        alarm = Alarm.get_or_none(Alarm.id == alarm_id, Alarm.deleted.is_null())
        values = _difference(old, new)
        if alarm is None:
            if values:
                self.said.append(f"the alarm to {_recipient(old)} was deleted here and stays so")
            return alarm_id, new
        if self._moved and alarm.status in renewal.DONE:
            alarm = renewal.renew(alarm, self._event, self._now)
            self.said.append(f"{alarm.recipient} is notified again, because the time is another")
        elif values and alarm.num_attempt and alarm.status not in UNSETTLED and _named(values):
            if alarm.status == AlarmStatus.SUCCESS and self._event.rule_id is None:
                self.said.append(
                    f"{alarm.recipient} was reached already, so {_recipient(new)} is not notified"
                )
                return alarm_id, new
            alarm = renewal.renew(alarm, self._event, self._now)
        if values:
            self._client.change("alarm", alarm.id, values)
            self.said.append(_sentence(alarm, old, new, values))
        return alarm.id, new

    def _drop(self, alarm_id: int) -> None:
        alarm = Alarm.get_or_none(Alarm.id == alarm_id, Alarm.deleted.is_null())
        if alarm is not None:
            called_off.drop_alarm(alarm, self._event, self._now)
            self.said.append(f"the alarm to {alarm.recipient} is called off")


def _match(
    old: list[Pair], wanted: list[Body]
) -> tuple[list[tuple[Pair | None, Body]], list[Pair]]:
    """Find for each wanted alarm the one that it was: the same, or to the same recipient, or the
    next that is left. Return them, and the old alarms that are left over.
    """
    left = list(old)
    found: dict[int, Pair] = {}
    for same in (_content, _recipient, lambda body: ""):
        for place, body in enumerate(wanted):
            if place in found:
                continue
            pair = next((pair for pair in left if same(pair[1]) == same(body)), None)
            if pair is not None:
                found[place] = pair
                left.remove(pair)
    return [(found.get(place), body) for place, body in enumerate(wanted)], left


def _difference(old: Body, new: Body) -> Body:
    """Return the fields to write: those that differ, and the defaults of those that are gone."""
    values = {name: value for name, value in new.items() if old.get(name) != value}
    for name in old.keys() - new.keys():
        values[name] = AlarmForm.model_fields[name].default
    if _recipient(old) == _recipient(new):
        for name in ("method", _method(new).address.field):
            values.pop(name, None)
    return values


def _sentence(alarm: Alarm, old: Body, new: Body, values: Body) -> str:
    cancelled = alarm.status == AlarmStatus.CANCELLED
    kept = "; it was cancelled here and stays so" if cancelled else ""
    if _recipient(old) != _recipient(new):
        return f"{_recipient(new)} is notified instead of {_recipient(old)}{kept}"
    names = ", ".join(f"{name} is {value}" for name, value in sorted(values.items()))
    return f"the alarm to {alarm.recipient}: {names}{kept}"


def _named(values: Body) -> bool:
    return not values.keys().isdisjoint(("alarm_phonenumber", "alarm_email", "method"))


def _method(body: Body) -> AlarmMethod:
    return methods.named(str(body.get("method", ""))) or call.METHOD


def _recipient(body: Body) -> str:
    method = _method(body)
    address = method.address.clean(str(body.get(method.address.field, "")))
    return f"{address} by {method.name}"


def _content(body: Body) -> str:
    return repr(sorted(body.items()))
