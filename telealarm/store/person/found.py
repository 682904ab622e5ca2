"""Finds all rows of the person behind a number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from peewee import Expression, Field, ForeignKeyField, ModelSelect

from telealarm.errors import Invalid
from telealarm.models import (
    Alarm,
    BaseModel,
    Calendar,
    CalendarSetting,
    CalendarUser,
    CalendarUserProfile,
    CallRequest,
    DncContact,
    DncList,
    Event,
    InboundSms,
    Message,
    PersonNumber,
    SmsTemplate,
    Transfer,
    User,
)
from telealarm.models import (
    Person as PersonRow,
)
from telealarm.rules import person, phone
from telealarm.rules.person import NumberForms, Words
from telealarm.store.engine import crud, regions

# The ids of each table.
Ids = dict[type[BaseModel], list[int]]


@dataclass(frozen=True)
class Scope:
    """A number, and whose rows are looked at. `owner` None: everybody's.

    Managers may read the same digits by different regions. `forms` has the owners of each reading.
    With `person`, it is one person of the owner, and `forms` has the numbers that nobody shares.
    """

    text: str
    owner: int | None
    forms: tuple[tuple[tuple[int, ...], NumberForms], ...]
    person: int | None = None

    @property
    def every_form(self) -> NumberForms:
        """The forms of all readings."""
        return person.together(forms for _, forms in self.forms)

    def same(self, owner: Field, number: Field, e164: Field | None = None) -> Expression:
        """Return the condition for the rows of `owner` that hold the number."""
        parts = []
        for owners, forms in self.forms:
            exact = sorted(forms.exact)
            condition = number.in_(exact)
            written = number.in_(sorted(forms.national))
            if e164 is not None:
                condition |= e164.in_(exact) | (e164.is_null() & written)
            else:
                condition |= written
            # For everybody, and with one reading, the number's index is enough.
            if self.owner is not None or len(self.forms) > 1:
                condition &= owner.in_(owners)
            parts.append(condition)
        return reduce(or_, parts) if parts else number.in_([])


@dataclass
class Person:
    """What is kept of the person: the ids of rows, and what names the person in texts.

    `about`: the alarms that tell of a failed alarm of the person. `own_events`: the events that are
    about this person only. `files`: the recordings.
    """

    scope: Scope
    ids: Ids = field(default_factory=dict)
    about: list[int] = field(default_factory=list)
    own_events: list[int] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def words(self, more: Iterable[str] = ()) -> Words:
        """Return what names the person in a text. `more` is added by whoever asks."""
        numbers = [forms for _, forms in self.scope.forms]
        return Words(numbers, list(dict.fromkeys([*self.names, *self.mails, *more])))


def scope(text: str, owner: int | None) -> Scope:
    """Return the number as each manager (or only `owner`) reads it. Raises Invalid."""
    owners = [owner] if owner is not None else [user.id for user in User.select(User.id)]
    read: dict[NumberForms, list[int]] = {}
    try:
        for owner_id in owners:
            read.setdefault(_as_read_by(owner_id, text), []).append(owner_id)
        if not read:
            read[person.forms(text, regions.configured())] = [0]
    except ValueError as error:
        raise Invalid({"number": [str(error)]}) from None
    return Scope(text, owner, tuple((tuple(ids), forms) for forms, ids in read.items()))


def scope_of(person_id: int, owner_id: int, own: Iterable[str]) -> Scope:
    """Return one person of a manager, with the numbers that are this person's `own`."""
    forms = tuple(((owner_id,), _as_read_by(owner_id, text)) for text in own)
    return Scope("", owner_id, forms, person_id)


def _as_read_by(owner_id: int, text: str) -> NumberForms:
    """Return the forms of a number by all regions of the manager. Raises ValueError."""
    labels = CalendarSetting.select(CalendarSetting.region).where(
        CalendarSetting.owner == owner_id, CalendarSetting.region.is_null(False)
    )
    names = {regions.of_owner(owner_id), *(row.region for row in labels)}
    return person.together(person.forms(text, name) for name in sorted(names, key=str))


def own_numbers(row: PersonRow) -> list[str]:
    """Return the person's numbers that no other person of the manager has."""
    others = _others(row)
    numbers = [known.e164 or known.number for known in _numbers_of(row)]
    shared = {
        form
        for known in PersonNumber.select().where(PersonNumber.person.in_(others))
        for form in (known.number, known.e164)
    }
    return [number for number in numbers if number not in shared]


def _numbers_of(row: PersonRow) -> list[PersonNumber]:
    numbers = PersonNumber.select().where(PersonNumber.person == row.id)
    return list(numbers.order_by(PersonNumber.position))


def own_words(row: PersonRow) -> list[str]:
    """Return the whole name and the mail address, if no other person of the manager has them."""
    own = [row.name] if len(row.name.split()) > 1 else []
    own += [row.email] if row.email else []
    others = {text.casefold() for other in _others(row) for text in (other.name, other.email)}
    return [text for text in own if text.casefold() not in others]


def _others(row: PersonRow) -> "ModelSelect[PersonRow]":
    return PersonRow.select().where(
        PersonRow.owner == row.owner_id, PersonRow.id != row.id, PersonRow.deleted.is_null()
    )


def find(asked: Scope, names: Iterable[str] = ()) -> Person:
    """Return what is kept of the person, but for texts elsewhere that name them.

    `names`: more names of the person, beside those that the rows have.
    """
    found = Person(asked, names=list(names))
    same_number = asked.same(Alarm.owner, Alarm.alarm_phonenumber, Alarm.alarm_e164)
    alarms = _of_nobody_else(asked, _ids(Alarm, same_number))
    found.mails = sorted(
        {row.alarm_email for row in _rows(Alarm, alarms, Alarm.alarm_email) if row.alarm_email}
    )
    if asked.person is not None:
        of_person = Event.select(Event.id).where(Event.person == asked.person)
        alarms = sorted({*alarms, *_ids(Alarm, Alarm.event.in_(of_person))})
    found.ids[Alarm] = alarms
    _people(found)
    found.about = ids_in(Alarm, Alarm.about, alarms)
    found.ids[CallRequest] = sorted(
        {
            *ids_in(CallRequest, CallRequest.alarm, alarms),
            *_exactly(asked, CallRequest, CallRequest.owner, CallRequest.phone_number),
        }
    )
    found.ids[Message] = sorted(
        {
            *ids_in(Message, Message.alarm, [*alarms, *found.about]),
            *_exactly(asked, Message, Message.owner, Message.recipient),
        }
    )
    found.ids[InboundSms] = _inbound(asked, alarms)
    found.ids[Transfer] = _ids(Transfer, asked.same(Transfer.owner, Transfer.phone_number))
    found.ids[CalendarSetting] = _ids(
        CalendarSetting,
        asked.same(
            CalendarSetting.owner,
            CalendarSetting.failure_phonenumber,
            CalendarSetting.failure_e164,
        )
        | asked.same(CalendarSetting.owner, CalendarSetting.callerid),
    )
    found.ids[SmsTemplate] = _ids(
        SmsTemplate, asked.same(SmsTemplate.owner, SmsTemplate.sender_phonenumber)
    )
    _events(found, alarms)
    _calendar_users(found)
    found.ids[DncContact] = _contacts(found)
    return found


def _of_nobody_else(asked: Scope, alarms: list[int]) -> list[int]:
    """Return the alarms without those of events that are about another person."""
    if asked.person is None:
        return alarms
    others = Event.select(Event.id).where(Event.person.is_null(False), Event.person != asked.person)
    return [
        row.id
        for ids in crud.chunks(alarms)
        for row in Alarm.select(Alarm.id).where(Alarm.id.in_(ids), Alarm.event.not_in(others))
    ]


def _people(found: Person) -> None:
    """Add the person, or everybody with the number, and what names them."""
    asked = found.scope
    if asked.person is not None:
        found.ids[PersonRow] = [asked.person]
    else:
        same = asked.same(PersonRow.owner, PersonNumber.number, PersonNumber.e164)
        query = PersonNumber.select(PersonNumber.person).join(PersonRow).where(same)
        found.ids[PersonRow] = sorted({row.person_id for row in query})
    found.ids[PersonNumber] = ids_in(PersonNumber, PersonNumber.person, found.ids[PersonRow])
    for row in _rows(PersonRow, found.ids[PersonRow], *PersonRow._meta.sorted_fields[1:]):
        words = own_words(row)
        found.names += [text for text in words if text == row.name]
        found.mails += [text for text in words if text == row.email]


def _events(found: Person, alarms: list[int]) -> None:
    """Add the person's events, and those of them that are about nobody else."""
    events = {row.event_id for row in _rows(Alarm, alarms, Alarm.event)}
    if found.scope.person is not None:
        events |= {*_ids(Event, Event.person == found.scope.person)}
    of_person = {*alarms, *found.about}
    family = set(events)
    for rows in crud.chunks(sorted(events)):
        parents = Event.select(Event.parent_event).where(Event.id.in_(rows))
        family |= {row.parent_event_id for row in parents if row.parent_event_id is not None}
    family |= set(ids_in(Event, Event.parent_event, sorted(family)))
    shared: set[int] = set()
    for ids in crud.chunks(sorted(family)):
        others = Alarm.select(Alarm.id, Alarm.event).where(Alarm.event.in_(ids))
        shared |= {row.event_id for row in others if row.id not in of_person}
    found.ids[Event] = sorted(events | (family - shared))
    found.own_events = sorted(family - shared)
    for event in _rows(Event, found.own_events, Event.data):
        found.names += person.names_in(event.data)
    found.names = list(dict.fromkeys(found.names))


def _calendar_users(found: Person) -> None:
    """Add the calendar users with this number or a whole name of the person, and their names."""
    asked, ids, words = found.scope, [], Words(names=found.names)
    query = CalendarUserProfile.select(CalendarUserProfile, CalendarUser).join(CalendarUser)
    for owners, forms in asked.forms:
        for profile in query.where(CalendarUserProfile.owner.in_(owners)).iterator():
            user = profile.user
            named = bool(user.first_name) and words.knows(f"{user.first_name} {user.last_name}")
            if named or forms.is_same(profile.phone_no) or forms.is_same(profile.fax):
                ids.append(user.id)
                found.names += person.full_names(user.first_name, user.last_name)
                found.mails += [user.email] if user.email else []
    found.ids[CalendarUser] = sorted(set(ids))
    found.ids[CalendarUserProfile] = ids_in(CalendarUserProfile, CalendarUserProfile.user, ids)
    found.mails = list(dict.fromkeys(found.mails))


def _contacts(found: Person) -> list[int]:
    asked = found.scope
    number = asked.same(DncList.owner, DncContact.phone_number, DncContact.e164)
    mails = DncContact.email.in_([mail.lower() for mail in found.mails])
    if asked.owner is not None:
        mails &= DncList.owner == asked.owner
    rows = DncContact.select(DncContact.id).join(DncList).where(number | mails)
    return [row.id for row in rows]


def _inbound(asked: Scope, alarms: list[int]) -> list[int]:
    """Return the received SMS. Those without an alarm belong to no manager."""
    ids = set(ids_in(InboundSms, InboundSms.alarm, alarms))
    forms = asked.every_form
    sender = InboundSms.sender.in_(sorted(forms.exact | forms.national))
    rows = InboundSms.select(InboundSms.id, InboundSms.alarm).where(sender)
    if asked.owner is None:
        ids |= {row.id for row in rows}
    else:
        ids |= {row.id for row in rows.join(Alarm).where(Alarm.owner == asked.owner)}
    return sorted(ids)


def _exactly(asked: Scope, model: type[BaseModel], owner: Field, number: Field) -> list[int]:
    """Return the rows with the number. A national form counts only if its alarm has no E.164."""
    ids = []
    alarm = model._meta.fields["alarm"]
    for owners, forms in asked.forms:
        known = Alarm.alarm_e164.is_null() & number.in_(sorted(forms.national))
        query = model.select(model.id).join(Alarm, on=(alarm == Alarm.id))
        query = query.where(number.in_(sorted(forms.exact)) | known)
        if asked.owner is not None or len(asked.forms) > 1:
            query = query.where(owner.in_(owners))
        if asked.person is not None:
            query = query.join(Event, on=(Alarm.event == Event.id))
            query = query.where(Event.person.is_null() | (Event.person == asked.person))
        ids += [row.id for row in query]
    return ids


def _ids(model: type[BaseModel], condition: Expression) -> list[int]:
    return [row.id for row in model.select(model.id).where(condition).order_by(model.id)]


def ids_in(model: type[BaseModel], column: Field, values: Iterable[int]) -> list[int]:
    """Return the ids of the rows whose column has one of the values."""
    return [
        row.id
        for chunk in crud.chunks(sorted(set(values)))
        for row in model.select(model.id).where(column.in_(chunk))
    ]


def _rows(model: type[Any], ids: list[int], *columns: Field) -> Iterator[Any]:
    for chunk in crud.chunks(ids):
        yield from model.select(model.id, *columns).where(model.id.in_(chunk))


def owned(model: type[BaseModel], owner: int) -> "Expression | None":
    """Return the condition for the rows of a manager; None if its rows belong to nobody."""
    fields = model._meta.fields
    if "owner" in fields:
        key = fields["owner"]
        return key == owner if isinstance(key, ForeignKeyField) else None
    for name in ("alarm", "call", "survey", "dnc", "event", "run", "section", "person"):
        key = fields.get(name)
        if isinstance(key, ForeignKeyField):
            of = owned(key.rel_model, owner)
            if of is not None:
                return key.in_(key.rel_model.select(key.rel_model.id).where(of))
    return None


def behind(found: Person) -> list[dict[str, Any]]:
    """Return who is behind the number: by manager and calendar, the names and how much there is."""
    people: dict[tuple[str, str], dict[str, Any]] = {}
    query = (
        Alarm.select(Alarm, Event, Calendar, User)
        .join(Event)
        .join(Calendar)
        .join(User, on=(Calendar.owner == User.id))
    )
    for ids in crud.chunks(found.ids[Alarm]):
        for alarm in query.where(Alarm.id.in_(ids)).order_by(Alarm.id):
            calendar = alarm.event.calendar
            entry = people.setdefault(
                (calendar.owner.username, calendar.name),
                {
                    "manager": calendar.owner.username,
                    "calendar": calendar.name,
                    "names": [],
                    "numbers": [],
                    "alarms": 0,
                    "last": alarm.event.start,
                },
            )
            entry["alarms"] += 1
            entry["last"] = max(entry["last"], alarm.event.start)
            _append(entry["names"], person.names_in(alarm.event.data) or [alarm.event.title])
            _append(entry["numbers"], [alarm.alarm_phonenumber])
    for user in _rows(CalendarUser, found.ids[CalendarUser], *CalendarUser._meta.sorted_fields[1:]):
        name = f"{user.first_name} {user.last_name}".strip() or user.username
        key = (user.owner.username, f"calendar user {user.username}")
        people[key] = {
            "manager": user.owner.username,
            "calendar": f"calendar user {user.username}",
            "names": [name],
            "numbers": [],
            "alarms": 0,
            "last": None,
        }
    for row in _rows(PersonRow, found.ids[PersonRow], *PersonRow._meta.sorted_fields[1:]):
        people[row.owner.username, f"person {row.id}"] = {
            "manager": row.owner.username,
            "calendar": f"person {row.id}",
            "names": [row.name],
            "numbers": [known.number for known in _numbers_of(row)],
            "alarms": 0,
            "last": None,
        }
    return list(people.values())


def _append(known: list[str], values: Iterable[str]) -> None:
    known += [value for value in values if value not in known]


def all_forms() -> Iterator[str]:
    """Yield every number of the database: in E.164 form, else as it is written."""
    pairs: list[tuple[Field, Field | None]] = [
        (Alarm.alarm_phonenumber, Alarm.alarm_e164),
        (DncContact.phone_number, DncContact.e164),
        (PersonNumber.number, PersonNumber.e164),
        (CalendarSetting.failure_phonenumber, CalendarSetting.failure_e164),
        (CalendarSetting.callerid, None),
        (CallRequest.phone_number, None),
        (Message.recipient, None),
        (InboundSms.sender, None),
        (Transfer.phone_number, None),
        (SmsTemplate.sender_phonenumber, None),
        (CalendarUserProfile.phone_no, None),
        (CalendarUserProfile.fax, None),
    ]
    seen: set[str] = set()
    for number, e164 in pairs:
        columns = [number] if e164 is None else [number, e164]
        for written, *known in number.model.select(*columns).distinct().tuples().iterator():
            form = phone.normal(next(filter(None, known), None) or written or "")
            if form and form not in seen:
                seen.add(form)
                yield form
