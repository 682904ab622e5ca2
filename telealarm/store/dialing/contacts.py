"""The caps for a person: how often a recipient was contacted, and which attempts must wait for it.

A contact is a call that was placed, or a message that was sent or waits to be sent, and counts to
its recipient: a number in E.164 form, or a mail address. Calls and messages keep it in `contact`.
Only managers with caps have any. No cap holds back, and none counts, a wake-up call, a call that
tells of a failure, an extension (a number without E.164 form), or the callee's own call.

This runs in the claim, which one worker at a time makes (concurrency.alone). So two workers cannot
exceed a cap together.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from peewee import Case, ModelSelect, fn

from telealarm import methods
from telealarm.methods.base import Address
from telealarm.models import Alarm, AlarmRequest, CallRequest, Message
from telealarm.rules import contact_caps as rules
from telealarm.rules.contact_caps import ContactCaps
from telealarm.rules.eligibility import Decision, Terms
from telealarm.store.access import contact_caps
from telealarm.store.alarms import eligibility
from telealarm.store.engine import crud
from telealarm.words import MessageStatus, Reason

# The owner of a row, and whom it contacts.
Key = tuple[int, str]
# A call lasts at most so long after it was placed, and a message waits at most so long.
_LONGEST = rules.WEEK


def of(alarm: Alarm) -> str | None:
    """Return the recipient as the caps count it; None: they do not."""
    if alarm.about_id is not None or alarm.event.is_wakeup:
        return None
    if methods.of(alarm.method).address is Address.PHONE:
        return alarm.alarm_e164
    return alarm.alarm_email.strip().casefold() or None


class Contacts:
    """The contacts of the recipients of some alarms, by the caps of their managers.

    One statement reads them, and none if no manager has caps.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._caps: dict[int, ContactCaps] = {}
        self._times: dict[Key, list[datetime]] = {}

    @classmethod
    def of_requests(cls, requests: Sequence[AlarmRequest], now: datetime) -> "Contacts":
        """Return the contacts for requests whose `owner` was read with them."""
        contacts = cls(now)
        caps = {request.owner_id: contact_caps.of(request.owner) for request in requests}
        contacts.read(caps, (request.alarm for request in requests))
        return contacts

    def read(self, caps: Mapping[int, ContactCaps], alarms: Iterable[Alarm]) -> None:
        """Read the contacts of the recipients of these alarms, if they are not known yet."""
        self._caps |= {owner: one for owner, one in caps.items() if one}
        if not self._caps:
            return
        keys = {key for alarm in alarms if (key := self.key(alarm)) is not None}
        new = keys - self._times.keys()
        self._times |= {key: [] for key in new}
        since = self._now - max(one.remembered for one in self._caps.values())
        recipients = {contact for _, contact in new}
        for owner_id, contact, moment in _contacts(recipients, since, self._now):
            if (owner_id, contact) in new:
                self._times[owner_id, contact].append(moment)

    def key(self, alarm: Alarm) -> Key | None:
        """Return what the alarm's contacts are counted by; None if nothing caps them."""
        contact = of(alarm) if alarm.owner_id in self._caps else None
        return None if contact is None else (alarm.owner_id, contact)

    def decide(self, alarm: Alarm, terms: Terms, at: datetime) -> Decision | None:
        """Return what to do with an attempt of the alarm instead; None: no cap holds it back."""
        key = self.key(alarm)
        if key is None or not self._times[key]:
            return None
        return rules.decide(self._caps[alarm.owner_id], self._times[key], terms, at)

    def held_back(self, request: AlarmRequest, now: datetime) -> Decision | None:
        """Return what to do with this attempt instead; None: no cap holds it back."""
        alarm, key = request.alarm, self.key(request.alarm)
        # An attempt that goes on by the next gateway is a contact already.
        if request.tried or key is None or not self._times[key]:
            return None
        terms = eligibility.of(alarm, eligibility.profile_of(alarm), forbidden=False)
        return self.decide(alarm, terms, max(now, request.date))

    def take(self, alarm: Alarm, at: datetime) -> str | None:
        """Count a contact of the alarm's recipient. Return what its row keeps in `contact`."""
        key = self.key(alarm)
        if key is None:
            return None
        self._times[key].append(at)
        return key[1]


def _contacts(
    contacts: Collection[str], since: datetime, now: datetime
) -> Iterator[tuple[int, str, datetime]]:
    """Yield owner, recipient and time of the contacts since then.

    The time is as late as it may have been: when the call was over, or now if it goes on.
    """
    for part in crud.chunks(sorted(contacts)):
        query = _calls(part, since - _LONGEST).union_all(_messages(part, since - _LONGEST))
        for owner_id, contact, at in query.tuples().execute():
            moment = now if at is None else at
            if moment > since:
                yield owner_id, contact, moment


def _calls(contacts: Sequence[str], since: datetime) -> "ModelSelect[CallRequest]":
    return (
        CallRequest.select(CallRequest.owner, CallRequest.contact, CallRequest.ended)
        .join(AlarmRequest, on=(CallRequest.request == AlarmRequest.id))
        .where(
            CallRequest.contact.in_(contacts),
            CallRequest.call_time > since,
            # Not those that were not placed after all, or that the next gateway placed.
            CallRequest.started.is_null(False) | CallRequest.ended.is_null(),
            AlarmRequest.status_reason != Reason.FAILOVER,
        )
    )


def _messages(contacts: Sequence[str], since: datetime) -> "ModelSelect[Message]":
    waits = [MessageStatus.PENDING, MessageStatus.SENDING]
    made = [*waits, MessageStatus.SENT, MessageStatus.UNKNOWN]
    over = Message.status.not_in(waits)
    sent = Case(None, [(over, fn.COALESCE(Message.sent, Message.date))], None)
    return Message.select(Message.owner, Message.contact, sent).where(
        Message.contact.in_(contacts), Message.created_date > since, Message.status.in_(made)
    )
