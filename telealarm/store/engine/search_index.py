"""The index that finds events, alarms and calls by words and numbers.

It is written in the transaction that writes the rows. Deleted rows stay in it: no list shows them.
A call is found by the words of its alarm, an alarm also by those of its event, and an event also by
those of its alarms.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from peewee import SQL, ModelSelect, fn

from telealarm.models import Alarm, BaseModel, CallRequest, Event, SearchTerm, User
from telealarm.rules import search_terms
from telealarm.rules.search_terms import Sought

# Up to so many rows with a word are taken from the index and put in order. If there are more, the
# list is walked in its order, and each row is looked up in the index: its page is soon full.
FEW = 10_000
# How many rows a statement has: SQLite takes 32,766 values.
_ROWS = 500
_OF_EVENT = frozenset({"title", "description", "data"})
_OF_ALARM = frozenset({"alarm_phonenumber", "alarm_e164", "alarm_email", "event"})

Row = tuple[int, bytes, int, int]


@dataclass(frozen=True)
class Found:
    """What a search found. `common`: so many rows that nobody counted them."""

    query: "ModelSelect[Any]"
    common: bool = False


def changes(row: BaseModel, columns: Mapping[str, Any]) -> bool:
    """Return whether a write of `columns` changes what the row is found by."""
    searched: Mapping[type[BaseModel], frozenset[str]] = {Event: _OF_EVENT, Alarm: _OF_ALARM}
    return any(
        row.__data__.get(name) != getattr(columns[name], "id", columns[name])
        for name in searched.get(type(row), frozenset()) & columns.keys()
    )


def add(*rows: BaseModel) -> None:
    """Write the terms of new rows: of events and alarms."""
    new = [term for row in rows for term in terms(row)]
    for first in range(0, len(new), _ROWS):
        SearchTerm.insert_many(
            new[first : first + _ROWS],
            fields=[SearchTerm.owner, SearchTerm.term, SearchTerm.event, SearchTerm.alarm],
        ).on_conflict_ignore().execute()


def replace(row: BaseModel, event_id: int | None = None) -> None:
    """Write the terms of a row that was changed. `event_id` was the event of an alarm before."""
    if isinstance(row, Event):
        forget(row.id, [0])
    elif isinstance(row, Alarm):
        forget(event_id or row.event_id, [row.id])
    add(row)


def forget(event_id: int, alarm_ids: Sequence[int] | None = None) -> None:
    """Remove the terms of an event and of all of its alarms, or of these alarms only.

    Alarm 0 stands for the words of the event itself.
    """
    concerned = SearchTerm.event == event_id
    if alarm_ids is not None:
        concerned &= SearchTerm.alarm.in_(list(alarm_ids))
    SearchTerm.delete().where(concerned).execute()


def remove(model: type[BaseModel], ids: Sequence[int]) -> None:
    """Remove the terms of these rows, which are about to be deleted for good."""
    if model is Event:
        SearchTerm.delete().where(SearchTerm.event.in_(ids)).execute()
    elif model is Alarm:
        # By their events: the index begins with those.
        events = Alarm.select(Alarm.event).where(Alarm.id.in_(ids))
        concerned = SearchTerm.event.in_(events) & SearchTerm.alarm.in_(ids)
        SearchTerm.delete().where(concerned).execute()


def refresh(model: type[BaseModel], ids: Sequence[int]) -> None:
    """Write the terms of these rows anew, after a write to many. Other models have none."""
    if model is Event or model is Alarm:
        for first in range(0, len(ids), _ROWS):
            for row in model.select().where(model.id.in_(list(ids[first : first + _ROWS]))):
                replace(row)


def narrowed(login: User, query: "ModelSelect[Any]", sought: Sequence[Sought]) -> Found:
    """Return the rows of `query` that have all that is `sought`. Nothing sought finds nothing."""
    model = query.model
    numbers = {one: _some(login, one) for one in sought}
    if not sought or 0 in numbers.values():
        return Found(query.where(model.id < 0))
    rarest = min(sought, key=numbers.__getitem__)
    common = len(sought) == 1 and numbers[rarest] > FEW
    if not common:
        query = query.where(_among(model, _owned(login, rarest)))
    for one in sought:
        if common or one != rarest:
            query = query.where(_has(model, one))
    return Found(query, common)


def terms(row: BaseModel) -> Iterator[Row]:
    """Yield the terms of an event or an alarm as the index has them; of other rows none."""
    if isinstance(row, Event):
        texts = [row.title, *search_terms.of_data(row.data), row.description or ""]
        for term in search_terms.of_texts(texts):
            yield row.owner_id, term, row.id, 0
    elif isinstance(row, Alarm):
        own = search_terms.of_texts([row.alarm_email])
        for number in (row.alarm_phonenumber, row.alarm_e164):
            own |= search_terms.of_number(number)
        for term in own:
            yield row.owner_id, term, row.event_id, row.id


def _some(login: User, one: Sought) -> int:
    """Return how many terms of the login's rows fit; more than FEW is FEW + 1."""
    return SearchTerm.select(SearchTerm.event).where(_owned(login, one)).limit(FEW + 1).count()


def _owned(login: User, one: Sought) -> Any:
    """Return the condition that a term fits and is of a row that the login sees."""
    owners = User.select(User.id) if login.is_superuser else [login.id]
    return _any(SearchTerm.owner.in_(owners) & _within(*limits) for limits in one.ranges)


def _within(first: bytes, end: bytes) -> Any:
    return (SearchTerm.term >= first) & (SearchTerm.term < end)


def _any(conditions: Iterable[Any]) -> Any:
    return reduce(or_, conditions)


def _among(model: type[BaseModel], terms: Any) -> Any:
    """Return the condition that a row is among those that the index has for these terms."""
    if model is Event:
        return Event.id.in_(SearchTerm.select(SearchTerm.event).where(terms))
    own = SearchTerm.select(SearchTerm.alarm).where(terms, SearchTerm.alarm > 0)
    alarm = Alarm.alias()
    of_events = (
        SearchTerm.select(alarm.id)
        .join(alarm, on=(alarm.event == SearchTerm.event))
        .where(terms, SearchTerm.alarm == 0)
    )
    key = Alarm.id if model is Alarm else CallRequest.alarm
    return key.in_(own.union_all(of_events))


def _has(model: type[BaseModel], one: Sought) -> Any:
    """Return the condition that a row has a term, looked up for each row."""
    fits = _any(_within(*limits) for limits in one.ranges)
    if model is Event:
        terms = SearchTerm.select(SQL("1")).where(SearchTerm.event == Event.id, fits)
    elif model is Alarm:
        own = (SearchTerm.alarm == 0) | (SearchTerm.alarm == Alarm.id)
        terms = SearchTerm.select(SQL("1")).where(SearchTerm.event == Alarm.event, own, fits)
    else:
        alarm = Alarm.alias()
        own = (SearchTerm.alarm == 0) | (SearchTerm.alarm == alarm.id)
        terms = (
            SearchTerm.select(SQL("1"))
            .join(alarm, on=(alarm.event == SearchTerm.event))
            .where(alarm.id == CallRequest.alarm, own, fits)
        )
    # The function keeps a planner from making a join of it, which would read all rows first.
    return fn.COALESCE(terms.limit(1), 0) == 1
