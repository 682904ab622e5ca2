"""The exceptions of an imported series: its excluded and its moved occurrences."""

from datetime import datetime

from telealarm.api.local_client import LocalClient
from telealarm.errors import Invalid, TeleAlarmError
from telealarm.importing.alarms import AlarmChanges, Pair
from telealarm.importing.draft import Body, Draft, Moved
from telealarm.models import Event
from telealarm.rules import dates
from telealarm.store.alarms import alarms, renewal
from telealarm.store.calendars import children, occurrences
from telealarm.store.engine import time_zones

# The fields that a moved occurrence has of its own, or else from its series.
_FIELDS = ("title", "description", "data")


def excluded(event: Event, old: list[str], new: list[str]) -> list[str]:
    """Return the `exdate` of the event after the file changed its own from `old` to `new`."""
    zone = time_zones.of_event(event)

    def moments(texts: list[str]) -> dict[datetime, str]:
        return {dates.to_utc(datetime.fromisoformat(text), zone): text for text in texts}

    current, before, after = moments(event.exdate), moments(old), moments(new)
    kept = {at: text for at, text in current.items() if at not in before or at in after}
    return list({**after, **kept}.values()) if after.keys() - kept.keys() else list(kept.values())


class MovedOccurrences:
    """Writes the moved occurrences of one series. `said` has a sentence for each change."""

    def __init__(
        self, client: LocalClient, event: Event, now: datetime, alarms: list[Pair]
    ) -> None:
        self._alarms = alarms
        self._client = client
        self._event = event
        self._now = now
        self.said: list[str] = []

    def write(self, old: dict[str, Body], draft: Draft, before: Body) -> dict[str, Body]:
        """Change the occurrences from those of the old file to those of the draft.

        `before` has the fields of the series in the old file. Return the new occurrences.
        """
        wanted = {moved.start: moved for moved in draft.moved}
        for start in old.keys() - wanted.keys():
            self._put_back(start, old[start])
        kept = {}
        for start, moved in wanted.items():
            was = old.get(start)
            fields = _fields(moved.changes, draft.event)
            known = None if was is None else _fields(was["changes"], before)
            changed = {n: v for n, v in fields.items() if known is None or known.get(n) != v}
            if "end" in moved.changes and (was is None or was["changes"] != moved.changes):
                changed["end"] = moved.changes["end"]
            kept[start] = self._place(moved)
            child = self._write(moved, changed, None if was is None else was["to"])
            if child is not None:
                own = self._write_alarms(child, moved, was or {})
                kept[start] |= {} if own is None else {"alarms": own}
        return kept

    def child_at(self, start: str) -> Event | None:
        """Return the event of the occurrence that the series has at `start`, if it is a row."""
        zone = time_zones.of_event(self._event)
        place = dates.to_utc(datetime.fromisoformat(start), zone)
        return Event.get_or_none(
            Event.parent_event == self._event.id, Event.original_start == place
        )

    def _place(self, moved: Moved) -> Body:
        return {"to": moved.to, "changes": moved.changes}

    def _write(self, moved: Moved, changed: Body, was_at: str | None) -> Event | None:
        """Return the event of the occurrence. None: it was cancelled here."""
        child = self.child_at(moved.start)
        if (child is not None and child.deleted is not None) or self._is_excluded(moved.start):
            if was_at != moved.to:
                self.said.append(f"its occurrence of {moved.start} was cancelled here; stays so")
            return None
        if child is None or was_at != moved.to:
            child = self._move(moved, child)
        if changed:
            self._client.change("event", child.id, changed)
        return child

    def _write_alarms(self, child: Event, moved: Moved, was: Body) -> list[Pair] | None:
        """Write the alarms of its own that an occurrence has in the file. Return them, if any."""
        old = was.get("alarms")
        if moved.alarms is None and old is None:
            children.follow_alarms(child, self._event, self._now)
            return None
        if old is None:
            copies = {alarm.origin_id: alarm.id for alarm in alarms.of_events([child.id])}
            old = [(copies[number], body) for number, body in self._alarms if number in copies]
        wanted = moved.alarms
        if wanted is None:
            wanted = [body for _, body in self._alarms]
        changes = AlarmChanges(self._client, child, self._now, moved=False)
        pairs = changes.write([(number, body) for number, body in old], wanted)
        self.said += changes.said if was else []
        if not wanted:
            children.follow_alarms(child, self._event, self._now)
        return None if moved.alarms is None else pairs

    def _move(self, moved: Moved, child: Event | None) -> Event:
        before = None if child is None else child.start
        try:
            answer = self._client.act(
                "event",
                self._event.id,
                "move_occurrence",
                {"start": moved.start, "to": moved.to},
            )
        except Invalid as error:
            raise TeleAlarmError(f"the occurrence of line {moved.line}: {error}") from error
        child = Event.get_by_id(int(answer["event"].rstrip("/").rsplit("/", 1)[1]))
        if before is not None and before != child.start:
            self.said.append(f"its occurrence of {moved.start} is moved to {moved.to}")
            self._notify_again(child)
        return child

    def _notify_again(self, child: Event) -> None:
        """An occurrence that was notified already has another time now.

        The alarms of a reminder plan follow the plan.
        """
        if child.start > self._now:
            for alarm in alarms.of_events([child.id]):
                if alarm.status in renewal.DONE and not alarm.trigger:
                    renewal.renew(alarm, child, self._now)

    def _put_back(self, start: str, was: Body) -> None:
        child = self.child_at(start)
        if child is None or child.deleted is not None or not child.detached:
            return
        zone = time_zones.of_event(child)
        if child.start != dates.to_utc(datetime.fromisoformat(was["to"]), zone):
            self.said.append(f"its occurrence of {start} was moved here and stays so")
            return
        occurrences.put_back(self._event, child, self._now)
        self.said.append(f"its occurrence of {start} is as the series has it again")

    def _is_excluded(self, start: str) -> bool:
        zone = time_zones.of_event(self._event)
        place = dates.to_utc(datetime.fromisoformat(start), zone)
        texts = [datetime.fromisoformat(text) for text in self._event.exdate]
        return place in [dates.to_utc(text, zone) for text in texts]


def _fields(changes: Body, series: Body) -> Body:
    return {name: changes.get(name, series.get(name)) for name in _FIELDS}
