"""The numbers that rows and the API speak in, kept from Newfies-Dialer unless marked ours."""

from enum import IntEnum, StrEnum


class Words(StrEnum):
    """Words that a kind declares in its own file, each with a sentence that says what it means."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> "Words":
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member


class EventStatus(IntEnum):
    PENDING = 1
    COMPLETED = 2
    PAUSED = 3


class AlarmStatus(IntEnum):
    """Of an alarm and, with the same numbers, of each of its alarm requests."""

    PENDING = 1
    IN_PROCESS = 2
    FAILURE = 3
    RETRY = 4
    SUCCESS = 5
    MISSED = 6  # ours
    CANCELLED = 7  # ours


# An alarm in one of these has not come to its end.
UNSETTLED = [AlarmStatus.PENDING, AlarmStatus.IN_PROCESS, AlarmStatus.RETRY]


class Method(IntEnum):
    CALL = 1
    SMS = 2
    EMAIL = 3


class AlarmResult(IntEnum):
    """What a rating key means. A key above 3 is kept as its number."""

    NONE = 0
    CONFIRMED = 1
    CANCELLED = 2
    RESCHEDULED = 3


class CallStatus(IntEnum):
    """Of a call request. 6 (pause) of the predecessor is unused."""

    PENDING = 1
    FAILURE = 2
    RETRY = 3
    SUCCESS = 4
    ABORT = 5
    CALLING = 7
    UNKNOWN = 8  # ours: placed or not, we cannot tell


class MessageStatus(IntEnum):
    """Of a message in the outbox (ours)."""

    PENDING = 1
    SENDING = 2
    SENT = 3
    FAILED = 4
    HELD = 5  # not taken for now; its request waits, and brings it back
    UNKNOWN = 6  # taken or not, we cannot tell
    WITHDRAWN = 7  # nobody wanted it any more, and nothing was sent


class DeliveryStatus(IntEnum):
    """Of what is told to a webhook (ours)."""

    PENDING = 1
    SENDING = 2
    DELIVERED = 3
    FAILED = 4


class Disposition(StrEnum):
    ANSWER = "ANSWER"
    BUSY = "BUSY"
    NOANSWER = "NOANSWER"
    CANCEL = "CANCEL"  # declined by the callee
    CONGESTION = "CONGESTION"
    FAILED = "FAILED"
    MACHINE = "MACHINE"


class AmdBehavior(IntEnum):
    ALWAYS = 1
    HUMAN_ONLY = 2
    VOICEMAIL_ONLY = 3


class AmdStatus(IntEnum):
    """Who answered, as far as Asterisk's AMD can tell; 0 where nobody asked it."""

    PERSON = 1
    MACHINE = 2
    UNSURE = 3


class Reason(StrEnum):
    """Why an attempt failed; the keys of an alarm's `retry_policy` are among them."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    CONGESTION = "congestion"
    FAILED = "failed"
    WRONG_NUMBER = "wrong_number"
    DO_NOT_CALL = "do_not_call"
    MACHINE = "machine"
    PERSON = "person"  # where a message was to be left on a machine only
    NO_KEY = "no_key"
    EARLY_HANGUP = "early_hangup"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"
    FAILOVER = "failover"  # it goes on by another gateway
    LATE = "late"
    CALLING_HOURS = "calling_hours"  # they open when it is too late
    NO_OPENING = "no_opening"  # they do not open within a year
    SNOOZED = "snoozed"  # another call was asked for by a key
    CALLED_BACK = "called_back"  # the callee rang back, and that call decides
    ARRIVED = "arrived"  # an attempt of unknown fate had reached its recipient
    SETTLED = "settled"  # another alarm of its event was answered
    NO_CALENDAR_SETTING = "no_calendar_setting"
    NO_SMS_GATEWAY = "no_sms_gateway"
    NO_RECIPIENT = "no_recipient"
    REFUSED = "refused"  # by the SMS gateway or the mail server, for good
