"""Replies about the messages themselves: STOP, START and HELP.

STOP and START are for every owner that wrote to the number through the gateway. `messages` are
those that were sent to it, the latest first.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from telealarm.models import Message
from telealarm.rules import short_sms
from telealarm.store import do_not_call
from telealarm.store.engine import read_cache
from telealarm.store.engine.timeline import record
from telealarm.store.messages.compose import Composer
from telealarm.store.messaging import write_back
from telealarm.words import MessagePurpose, ReplyOutcome, TimelineWord

# HELP is answered this often within this time. A machine may ask for ever.
MOST_HELP, HELP_WINDOW = 5, timedelta(days=1)


def stop(messages: Sequence[Message], number: str, now: datetime) -> str:
    """Stop calls and messages to this number. Confirm it once."""
    newest = messages[0]
    listed = is_listed(messages)
    for owner_id, recipient in {(row.owner_id, row.recipient) for row in messages}:
        do_not_call.stop(owner_id, recipient)
        if number.startswith(("+", "00")):  # with a country code, the number is unambiguous
            do_not_call.stop(owner_id, number)
    _record(messages, TimelineWord.STOP, "wants no more messages", now)
    if listed:
        return ReplyOutcome.STOPPED_BEFORE
    write_back.send(newest, write_back.texts(newest.alarm).stopped, MessagePurpose.ANSWER, now)
    return ReplyOutcome.STOPPED


def start(messages: Sequence[Message], number: str, now: datetime) -> str:
    """Take back what STOP did. An entry that a person wrote stays, and the sender is told so."""
    newest = messages[0]
    for owner_id in _owners(messages):
        do_not_call.start(owner_id, _numbers(messages, owner_id, number))
    listed = is_listed(messages)
    why = "wants messages again"
    _record(messages, TimelineWord.START, f"{why}, and stays on a list" if listed else why, now)
    texts = write_back.texts(newest.alarm)
    if listed:
        if write_back.is_first(newest, MessagePurpose.LISTED):
            write_back.send(newest, texts.still_listed, MessagePurpose.LISTED, now)
        return ReplyOutcome.STILL_LISTED
    write_back.send(newest, texts.started, MessagePurpose.ANSWER, now)
    return ReplyOutcome.STARTED


def is_listed(messages: Sequence[Message]) -> bool:
    """Return whether the number is on a do-not-call list of the owner that wrote to it last."""
    return do_not_call.lists_number(messages[0].owner_id, messages[0].recipient)


def is_stopped(messages: Sequence[Message], number: str) -> bool:
    """Return whether a reply of STOP has put the number on a list."""
    return any(
        do_not_call.is_stopped(owner_id, _numbers(messages, owner_id, number))
        for owner_id in _owners(messages)
    )


def help(message: Message, composer: Composer, now: datetime) -> str:
    """Tell who writes, how to stop, and the number to ring, also to a number that is listed."""
    alarm = message.alarm
    record(alarm.id, TimelineWord.HELP, f"{message.recipient} asks for help", at=now)
    answered = Message.select().where(
        Message.recipient == message.recipient,
        Message.purpose == MessagePurpose.HELP,
        Message.created_date > now - HELP_WINDOW,
    )
    if answered.count() < MOST_HELP:
        write_back.send(message, _help_text(message, composer, now), MessagePurpose.HELP, now)
    return ReplyOutcome.HELPED


def _help_text(message: Message, composer: Composer, now: datetime) -> str:
    """Return the sentences for which there is a name or a number, as the calls show them."""
    alarm = message.alarm
    profile = read_cache.profile_of(alarm.event.calendar.user_id)
    setting = profile.calendar_setting if profile else None
    values = {
        "caller_name": (setting and setting.caller_name)
        or (profile and profile.company_name)
        or composer.values(alarm, now)["name"],
        "callerid": (setting and setting.callerid) or (profile and profile.phone_no),
    }
    texts = write_back.texts(alarm)
    listed = is_listed([message])
    sentences = [
        texts.help_who if values["caller_name"] else "",
        texts.help_start if listed else texts.help_stop,
        texts.help_call if values["callerid"] else "",
    ]
    return short_sms.fill(" ".join(filter(None, sentences)), values)


def _owners(messages: Sequence[Message]) -> list[int]:
    return list(dict.fromkeys(row.owner_id for row in messages))


def _numbers(messages: Sequence[Message], owner_id: int, number: str) -> set[str]:
    """Return the spellings of the number that the owner and the gateway use."""
    return {number, *(row.recipient for row in messages if row.owner_id == owner_id)}


def _record(messages: Sequence[Message], word: str, why: str, now: datetime) -> None:
    """Write a line into the timeline of each owner's latest alarm."""
    latest = {row.owner_id: row for row in reversed(messages)}
    for row in latest.values():
        record(row.alarm_id, word, f"{row.recipient} {why}", at=now)
