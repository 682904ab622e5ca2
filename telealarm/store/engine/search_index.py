"""The index that finds events, alarms and calls by words and numbers.

It is written in the transaction that writes the rows. Deleted rows stay in it: no list shows them.
A call is found by the words of its alarm, an alarm also by those of its event, and an event also by
those of its alarms.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from peewee import JOIN, SQL, Field, Join, ModelSelect, fn

from telealarm.models import (
    Alarm,
    BaseModel,
    CallRequest,
    Event,
    Person,
    PersonTerm,
    SearchTerm,
    User,
)
from telealarm.rules import search_terms
from telealarm.rules.search_terms import Sought
from telealarm.store.engine.prepared import Prepared, insertion

# If each word is one of more rows than this, the list is walked in its order first, and each row is
# looked up in the index: its page is soon full. Else the rows with the rarest word are taken from
# the index and put in order. That is also done if the walk finds too little.
FEW = 10_000
# The rows with a word are counted up to this number, to know the rarest.
MOST = 50_000
# A walk looks at so many rows, and then at so many in all if they promise to be enough.
WALK_FIRST, WALK = 2000, 30_000
# A longer result is not counted: its count is one more than this.
COUNTED = 1000
# How many rows a statement has: SQLite takes 32,766 values.
_ROWS = 500
_OF_EVENT = frozenset({"title", "description", "data"})
_OF_ALARM = frozenset({"alarm_phonenumber", "alarm_e164", "alarm_email", "event"})

_INSERT = Prepared(
    SearchTerm,
    lambda: insertion(
        "terms", SearchTerm.owner, SearchTerm.term, SearchTerm.event, SearchTerm.alarm
    ).on_conflict_ignore(),
)

Row = tuple[int, bytes, int, int]
Order = Callable[["ModelSelect[Any]"], "ModelSelect[Any]"]


@dataclass(frozen=True)
class Walk:
    """The rows of a list, and the words to look up for each, the rarest first."""

    rows: "ModelSelect[Any]"
    sought: Sequence[Sought]

    def hits(self, order: Order, wanted: int) -> list[int] | None:
        """Return the ids of the first `wanted` rows. None: they are too few, or too far ahead."""
        hits = self._hits(order, 0, WALK_FIRST, wanted)
        if len(hits) < wanted and len(hits) * WALK >= wanted * WALK_FIRST:
            hits += self._hits(order, WALK_FIRST, WALK - WALK_FIRST, wanted - len(hits))
        return hits if len(hits) >= wanted else None

    def _hits(self, order: Order, first: int, number: int, wanted: int) -> list[int]:
        """Return the ids of at most `wanted` of so many rows from the row `first` on."""
        model = self.rows.model
        columns = [column.alias(name) for name, column in _KEYS[model].items()]
        some = order(self.rows).select(model.id.alias("id"), *columns).limit(number).offset(first)
        walked = some.alias("walked")
        found = model.select(walked.c.id).from_(walked)
        keys = {name: getattr(walked.c, name) for name in _KEYS[model]}
        for one in self.sought:
            found = found.where(_has(keys, one))
        return [row_id for (row_id,) in found.limit(wanted).tuples()]


@dataclass(frozen=True)
class Found:
    """What a search found: the rows of `query`.

    `pairs` selects them without an order, the same row perhaps several times: the first are soon
    there. `walk` is for words that very many rows have. `apart` are queries that have its rows
    together, each in order by an index of its own.
    """

    query: "ModelSelect[Any]"
    pairs: "ModelSelect[Any] | None" = None
    walk: Walk | None = None
    apart: "Sequence[ModelSelect[Any]]" = ()

    def page(self, order: Order, first: int, size: int) -> tuple[list[int], int | None]:
        """Return the ids of `size` rows from the row `first` on, in this order.

        And how many rows there are, if that is known by the way.
        """
        if self.walk is not None and (hits := self.walk.hits(order, first + size)) is not None:
            return hits[first : first + size], None
        most = size if self.pairs is None else max(size, COUNTED - first)
        query = self._first(order, first + most) if len(self.apart) > 1 else self.query
        ids = [row_id for (row_id,) in order(query).tuples().limit(most).offset(first)]
        return ids[:size], first + len(ids) if 0 < len(ids) < most else None

    def _first(self, order: Order, most: int) -> "ModelSelect[Any]":
        """Return a query for rows among which are the first `most` of all parts."""
        some = [order(one).limit(most).alias(f"part{n}") for n, one in enumerate(self.apart)]
        parts = [self.query.model.select(part.c.id).from_(part) for part in some]
        rows = reduce(lambda all_, part: all_.union_all(part), parts)
        return self.query.where(self.query.model.id.in_(rows))

    def count(self) -> int:
        """Return how many rows there are; COUNTED + 1 if there are more."""
        if self.pairs is not None:
            most = COUNTED + COUNTED // 4 + 1
            ids = [row_id for (row_id,) in self.pairs.limit(most).tuples()]
            number = min(len(set(ids)), COUNTED + 1)
            if len(ids) < most or number > COUNTED:
                return number
        return self.query.limit(COUNTED + 1).count()


def changes(row: BaseModel, columns: Mapping[str, Any]) -> bool:
    """Return whether a write of `columns` changes what the row is found by."""
    searched: Mapping[type[BaseModel], frozenset[str]] = {Event: _OF_EVENT, Alarm: _OF_ALARM}
    return any(
        row.__data__.get(name) != getattr(columns[name], "id", columns[name])
        for name in searched.get(type(row), frozenset()) & columns.keys()
    )


def add(*rows: BaseModel) -> None:
    """Write the terms of new rows: of events and alarms."""
    _INSERT.run(terms=[term for row in rows for term in terms(row)])


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
    if model is Person:
        return Found(_people(login, query, sought))
    numbers = {one: _some(login, one) for one in sought}
    if not sought or 0 in numbers.values():
        return Found(query.where(model.id < 0))
    rarest, *others = ordered = sorted(sought, key=numbers.__getitem__)
    # It is looked for before the rows of other tables are read.
    terms = _all([_owned(login, rarest), *map(_beside, others)])
    key, rows = _rows(model, terms)
    others_too = _all([_has(_KEYS[model], one) for one in others])
    found = query.where(key.in_(rows), others_too)
    term = rows.alias("found")
    pairs = query.from_(Join(term, model, JOIN.CROSS)).where(key == term.c.row, others_too)
    return Found(found, pairs, Walk(query, ordered) if numbers[rarest] > FEW else None)


def _people(login: User, query: "ModelSelect[Any]", sought: Sequence[Sought]) -> "ModelSelect[Any]":
    """Return the people of `query` that have all that is `sought`: there are not very many."""
    owners = User.select(User.id) if login.is_superuser else [login.id]
    for one in sought:
        fits = _any((PersonTerm.term >= low) & (PersonTerm.term < end) for low, end in one.ranges)
        terms = PersonTerm.select(PersonTerm.person).where(PersonTerm.owner.in_(owners), fits)
        query = query.where(Person.id.in_(terms))
    return query if sought else query.where(Person.id < 0)


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
    """Return how many terms of the login's rows fit; `MOST` if there are more."""
    terms = SearchTerm.select(SearchTerm.event).where(_owned(login, one))
    return terms.limit(MOST).count()


def _owned(login: User, one: Sought) -> Any:
    """Return the condition that a term fits and is of a row that the login sees."""
    owners = User.select(User.id) if login.is_superuser else [login.id]
    return _any(
        SearchTerm.owner.in_(owners) & _within(SearchTerm, *limits) for limits in one.ranges
    )


def _fits(one: Sought, table: Any) -> Any:
    return _any(_within(table, *limits) for limits in one.ranges)


def _within(table: Any, first: bytes, end: bytes) -> Any:
    return (table.term >= first) & (table.term < end)


def _any(conditions: Iterable[Any]) -> Any:
    return reduce(or_, conditions)


def _all(conditions: Iterable[Any]) -> Any:
    return reduce(and_, conditions, SQL("1 = 1"))


def _beside(one: Sought) -> Any:
    """Return the condition on a term that its event, or an alarm of it, has this too."""
    other = SearchTerm.alias()
    terms = other.select(SQL("1")).where(other.event == SearchTerm.event, _fits(one, other))
    return _present(terms)


def _present(terms: "ModelSelect[Any]") -> Any:
    # The function keeps a planner from making a join of it, which would read all rows first.
    return fn.COALESCE(terms.limit(1), 0) == 1


def _rows(model: type[BaseModel], terms: Any) -> "tuple[Field, ModelSelect[Any]]":
    """Return what the index has for these terms, as `row`, and the column of the rows it is of."""
    if model is Event:
        return Event.id, SearchTerm.select(SearchTerm.event.alias("row")).where(terms)
    own = SearchTerm.select(SearchTerm.alarm.alias("row")).where(terms, SearchTerm.alarm > 0)
    alarm = Alarm.alias()
    of_events = (
        SearchTerm.select(alarm.id.alias("row"))
        .join(alarm, on=(alarm.event == SearchTerm.event))
        .where(terms, SearchTerm.alarm == 0)
    )
    key = Alarm.id if model is Alarm else CallRequest.alarm
    return key, own.union_all(of_events)  # type: ignore[return-value]


def _has(keys: Mapping[str, Any], one: Sought) -> Any:
    """Return the condition that a row has a term, looked up for each row.

    `keys`: what the row has of its event and its alarm.
    """
    terms = SearchTerm.select(SQL("1")).where(_fits(one, SearchTerm))
    if "event" not in keys:
        alarm = Alarm.alias()
        terms = terms.join(alarm, on=(alarm.event == SearchTerm.event))
        terms = terms.where(alarm.id == keys["alarm"])
        keys = {"alarm": alarm.id}
    else:
        terms = terms.where(SearchTerm.event == keys["event"])
    if "alarm" in keys:
        terms = terms.where((SearchTerm.alarm == 0) | (SearchTerm.alarm == keys["alarm"]))
    return _present(terms)


# What the rows of a list have of their event and their alarm. A call has its alarm only.
_KEYS: Mapping[type[BaseModel], Mapping[str, Any]] = {
    Event: {"event": Event.id},
    Alarm: {"event": Alarm.event, "alarm": Alarm.id},
    CallRequest: {"alarm": CallRequest.alarm},
}
