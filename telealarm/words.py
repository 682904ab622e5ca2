"""Every word and number that clients see of the core, each with a sentence that says what it means.

A class is one set of words; the first line of its docstring says where its words appear. A kind (an
alarm method, an SMS provider, a section type) declares the words that only it writes as a class of
`Words` in its own file. docs/reference/words.md is made from all of them.
"""

from enum import IntEnum, StrEnum
from typing import Self


class Words(StrEnum):
    """Words that are texts on the wire. `meaning` is what a member tells a reader."""

    _value_: str
    meaning: str

    def __new__(cls, word: str, meaning: str = "") -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member


class Numbers(IntEnum):
    """Words that are numbers on the wire. `word` is how the API names one where it takes a name."""

    _value_: int
    meaning: str
    _word: str

    def __new__(cls, number: int, meaning: str = "", word: str = "") -> Self:
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        member._word = word
        return member

    @property
    def word(self) -> str:
        return self._word or self.name.lower()


class EventStatus(Numbers):
    """`status` of an event."""

    PENDING = 1, "The event is on: its alarms go out when they are due."
    COMPLETED = 2, "The event is over, or was ended: its alarms go out no more."
    PAUSED = 3, "The event is on hold: its alarms wait until it goes on."


class AlarmStatus(Numbers):
    """`status` of an alarm and of each of its attempts (alarm requests)."""

    PENDING = 1, "It waits for its time."
    IN_PROCESS = 2, "The attempt is being made. Of an alarm: it is due, and its attempt goes on."
    FAILURE = 3, "It failed, and nothing follows."
    RETRY = 4, "The attempt failed or was snoozed, and another one follows."
    SUCCESS = 5, "The recipient was reached. Nothing follows, unless the recipient snoozed."
    MISSED = 6, "It was not made in time; nobody is called any more."
    CANCELLED = 7, "It was called off; nobody is called any more."


# An alarm in one of these has not come to its end.
UNSETTLED = [AlarmStatus.PENDING, AlarmStatus.IN_PROCESS, AlarmStatus.RETRY]


class AlarmResult(Numbers):
    """`result` of an alarm: what the recipient answered. A key above 3 stays a number."""

    NONE = 0, "Nobody has answered yet."
    CONFIRMED = 1, "The recipient said yes: key 1, a reply by SMS, or a link."
    CANCELLED = 2, "The recipient said no: key 2, a reply by SMS, or a link."
    RESCHEDULED = 3, "The recipient wants another time: key 3, or a reply by SMS."


class StepTrigger(Words):
    """`trigger` of a step of a reminder plan, and of the alarms that it made."""

    BEFORE = "before", "The alarm is due so many seconds before the event's start."
    AFTER = "after", "The alarm is due so many seconds after the event's end."
    BOOKED = "booked", "The alarm is due at once when the event is booked."
    MOVED = "moved", "The alarm is due at once when the event is moved to another start."
    CANCELLED = "cancelled", "The alarm is due at once when the event is cancelled."


# Alarms that these make tell what has just become of the event. They keep no distance from it.
AT_ONCE = (StepTrigger.BOOKED, StepTrigger.MOVED, StepTrigger.CANCELLED)


class AlarmOutcome(Words):
    """`outcome` of an alarm: its status and its result in one word."""

    OPEN = "open", "It has not come to its end."
    CONFIRMED = "confirmed", "The recipient said yes."
    CANCELLED = "cancelled", "The recipient said no."
    RESCHEDULED = "rescheduled", "The recipient wants another time."
    OTHER_KEY = "other_key", "The recipient pressed another key; `result` says which."
    ANSWERED_NO_KEY = (
        "answered_no_key",
        "A person or a voicemail picked up, and no key was pressed. It is no confirmation.",
    )
    SENT = "sent", "The message was taken, and nobody has answered it."
    UNANSWERED = "unanswered", "It failed or was missed: nobody was reached."
    CALLED_OFF = "called_off", "It was called off."


class CallStatus(Numbers):
    """`status` of a call (callrequest). 6 is not used."""

    PENDING = 1, "The call is about to be placed."
    FAILURE = 2, "The call failed, and nothing follows."
    RETRY = 3, "The call failed, and another attempt follows."
    SUCCESS = 4, "The call reached the callee."
    ABORT = 5, "The call was called off."
    CALLING = 7, "The call was placed and has no outcome yet."
    UNKNOWN = 8, "Nobody can tell whether the call was placed. TeleAlarm looks for its channel."


class MessageStatus(Numbers):
    """`status` of a message, as a word. A delivery report takes its place."""

    PENDING = 1, "The message waits in the outbox."
    SENDING = 2, "The message is being sent."
    SENT = 3, "The gateway or the mail server took the message."
    FAILED = 4, "The message was not taken and is not sent again."
    HELD = 5, "The message cannot be sent now; its attempt waits and is made later.", "waiting"
    UNKNOWN = 6, "Nobody can tell whether the message was taken."
    WITHDRAWN = 7, "Nobody wants the message any more; it was not sent."


class DeliveryReport(Words):
    """`status` of a message after the gateway's report; the answer to that report."""

    DELIVERED = "delivered", "The gateway reports that the recipient has the message."
    FAILED = "failed", "The gateway reports that the recipient did not get the message."


class MessagePurpose(Words):
    """`purpose` of a message: what it is for."""

    ALARM = "alarm", "It is an attempt of its alarm, or a survey sent it."
    FAILURE = "failure", "It tells that an alarm failed or was missed."
    INVITATION = "invitation", "It tells that the event of an invitation was moved or cancelled."
    ANSWER = "answer", "It thanks for a reply that counts, or tells that STOP or START counts."
    UNCLEAR = "unclear", "It tells that a reply was not understood."
    LATE = "late", "It tells that a reply came too late to count."
    LISTED = "listed", "It tells that START did not count, because of another do-not-call entry."
    HELP = "help", "It answers HELP: who writes, how to stop, and the number to ring."


class DeliveryStatus(Numbers):
    """`status` of a delivery to a webhook (webhook-delivery)."""

    PENDING = 1, "The delivery waits for its next try."
    SENDING = 2, "The delivery is being sent."
    DELIVERED = 3, "The endpoint took it: it answered with a status of 2xx."
    FAILED = 4, "It was given up, or its webhook was switched off."


class FeedKind(Words):
    """`kind` of a calendar feed."""

    ICS = "ics", "The source is a file of iCalendar at an address. It is only read."
    CALDAV = "caldav", "The source is a calendar of a CalDAV server, which can take answers back."


class FeedState(Words):
    """`state` of a calendar feed."""

    NEW = "new", "It was not polled yet."
    OK = "ok", "The last poll read the source, and the events here are those of the source."
    FAILING = "failing", "The last poll failed; `error` says why. The events here stay as they are."
    ASKS = (
        "asks",
        "Many events are gone from the source. They stay until somebody confirms that they are"
        " called off.",
    )


class FeedAnswers(Words):
    """`answers` of a calendar feed: how the source is told what a recipient answered."""

    NONE = "none", "The source is not told."
    PARTSTAT = "partstat", "In PARTSTAT of the attendee: ACCEPTED, DECLINED or TENTATIVE."
    TITLE = "title", "By a mark before the title of the event."


class FeedNumberField(Words):
    """`number_fields` of a calendar feed: where the number of an alarm is looked for."""

    TITLE = "title", "The title (SUMMARY)."
    DESCRIPTION = "description", "The description (DESCRIPTION)."
    LOCATION = "location", "The place (LOCATION)."
    ATTENDEE = "attendee", "The attendees: their addresses, such as tel:, and their names."


class FeedOrderKind(Words):
    """What is ordered from the loop of a calendar feed."""

    PREVIEW = "preview", "Read the source, and show what a poll would do."
    MOVE = "move", "Move an event at the source."
    TELL = "tell", "Tell the source what was answered. The write of an answer orders it."


class FeedOrderStatus(Numbers):
    """What became of an order for a calendar feed."""

    PENDING = 1, "It waits for the loop."
    WORKING = 2, "The loop is asking the source."
    DONE = 3, "The source has done it."
    REFUSED = 4, "The source refused it."
    FAILED = 5, "The source did not answer, or not in time."


class FeedPoll(Words):
    """`outcome` of the metric telealarm_feed_polls: how a poll of a calendar feed ended."""

    CHANGED = "changed", "The source has changed, and was read."
    UNCHANGED = "unchanged", "The source has not changed since the last poll."
    FAILED = "failed", "The source could not be read."


class Change(Words):
    """`type` of what is sent to a webhook, and `events` of a webhook."""

    ATTEMPT_ENDED = "attempt.ended", "An attempt of an alarm has ended, well or not."
    RESULT = "alarm.result", "The recipient has answered."
    MISSED = "alarm.missed", "An alarm was not made in time; nobody is called any more."
    FAILED = "alarm.failed", "An alarm failed, and no attempt follows."
    STORE_FULL = (
        "store.full",
        "The audio store is full: a message of a callee was not recorded, or was cut short.",
    )
    DO_NOT_CALL = "do_not_call.added", "A number or mail address is new on a do-not-call list."


class Switch(Numbers):
    """`status` of a gateway, an SMS gateway and a webhook."""

    INACTIVE = 0, "It is switched off; nothing goes out by it."
    ACTIVE = 1, "It is used."


class SmsCancel(Words):
    """`sms_cancel` of an SMS gateway: what a reply of CANCEL means."""

    APPOINTMENT = "appointment", "The appointment is cancelled. The answer tells how to stop all."
    OPTOUT = "optout", "The sender wants no more messages, as with STOP (the rule in the USA)."


class TrunkState(Words):
    """`trunk_state` of a gateway."""

    UP = "up", "Calls can go out by the trunk."
    DOWN = "down", "No call can go out by the trunk; its calls wait or take the next gateway."
    UNKNOWN = "unknown", "Nobody watches the trunk, or Asterisk does not answer."


class Disposition(Words):
    """`disposition` of a call and of a transfer. Empty: not over, or nobody can tell."""

    ANSWER = "ANSWER", "Somebody answered."
    BUSY = "BUSY", "The line was busy."
    NOANSWER = "NOANSWER", "The phone rang and nobody answered."
    CANCEL = "CANCEL", "The callee declined the call."
    CONGESTION = "CONGESTION", "The network or the gateway had no free line."
    FAILED = "FAILED", "The call could not be put through."
    MACHINE = "MACHINE", "An answering machine answered."


class AmdBehavior(Numbers):
    """`amd_behavior` of a calendar setting."""

    ALWAYS = 1, "A person hears the survey; a machine gets a message."
    HUMAN_ONLY = 2, "A person hears the survey; a machine is hung up on."
    VOICEMAIL_ONLY = 3, "A person hears a goodbye; a machine gets a message."


class AmdStatus(Numbers):
    """`amd_status` of a call: who answered. 0: nobody asked. The name is in the timeline."""

    PERSON = 1, "A person answered."
    MACHINE = 2, "An answering machine answered."
    UNSURE = 3, "Asterisk could not tell who answered; it is treated as a person."


class Reason(Words):
    """`status_reason` of an alarm and of its attempts; `why` in the plan.

    The keys of an alarm's `retry_policy` are among them.
    """

    # The attempt failed.
    BUSY = "busy", "The line was busy."
    NO_ANSWER = "no_answer", "The phone rang and nobody answered."
    DECLINED = "declined", "The callee declined the call."
    CONGESTION = "congestion", "The network or the gateway had no free line."
    FAILED = "failed", "The call could not be put through, or the message was not taken."
    WRONG_NUMBER = "wrong_number", "The number is wrong; it is not called again."
    EMERGENCY_NUMBER = (
        "emergency_number",
        "The gateway would dial an emergency number of its region; it is not called.",
    )
    NUMBER_NOT_PERMITTED = (
        "number_not_permitted",
        "The gateway would dial a number that the calendar user may not reach; it is not called.",
    )
    DO_NOT_CALL = "do_not_call", "The recipient is on a do-not-call list and is not called."
    NO_CONSENT = (
        "no_consent",
        "The calendar setting requires consent, and the recipient's is not recorded; nobody is"
        " called.",
    )
    MACHINE = "machine", "An answering machine answered, or did not take the whole message."
    PERSON = "person", "A person answered, but the message is for a machine only."
    NO_KEY = "no_key", "The callee pressed no key that counts, and the alarm requires a result."
    EARLY_HANGUP = "early_hangup", "The callee hung up before the end of the first prompt."
    INTERRUPTED = (
        "interrupted",
        "A crash, a restart or a lost connection cut the answered call off; no retry is used.",
    )
    UNKNOWN = "unknown", "Nobody can tell what became of it; `on_unknown` decides what follows."
    FAILOVER = "failover", "The gateway could not place the call; the next gateway takes it."
    REFUSED = "refused", "The gateway or the mail server refused the message for good."
    NOT_PERMITTED = "not_permitted", "The calendar user may not have this alarm; nobody is called."
    NO_CALENDAR_SETTING = "no_calendar_setting", "The calendar's user has no calendar setting."
    NO_METHOD = "no_method", "The file of the alarm's method is not installed."
    NO_RECIPIENT = "no_recipient", "The alarm has no number or address that can be written to."
    # It came too late.
    LATE = "late", "The alarm was not made in time; nobody is called any more."
    PAST = "past", "The alarm was over when it was written; nobody is called."
    LIMIT = "limit", "A limit of its manager is reached; nobody is called."
    NO_OPENING = "no_opening", "The calling hours do not open within a year; nobody is called."
    # It waits, and is made later.
    CALLING_HOURS = (
        "calling_hours",
        "The calling hours are not open. The attempt waits, or is missed if they open too late.",
    )
    PERSON_HOURS = (
        "person_hours",
        "It is outside the hours in which the person likes to be rung. The attempt waits, or is"
        " missed if they open too late.",
    )
    DIALING_PAUSED = "dialing_paused", "Dialing is paused; the attempt waits until it goes on."
    AT_CAP = "at_cap", "A gateway or calendar has all its calls; the attempt waits for its turn."
    TRUNK_DOWN = "trunk_down", "The gateway's trunk is down; the attempt waits until it is up."
    GATEWAY_INACTIVE = "gateway_inactive", "The gateway is switched off; the attempt waits for it."
    GATEWAY_AWAY = "gateway_away", "The gateway or mail server did not answer; it is tried again."
    CONTACT_CAP = (
        "contact_cap",
        "The recipient was contacted as often as the caps allow. The attempt waits, or is missed if"
        " that is too long.",
    )
    EDITED = "edited", "The alarm was edited before its message was sent; it is written anew."
    MOVED = "moved", "A client moved the waiting attempt to another time."
    # It was called off, or is not needed.
    SNOOZED = "snoozed", "The callee asked by a key to be called again later."
    CALLED_BACK = "called_back", "The callee rang back, and that call decides."
    ARRIVED = "arrived", "An earlier attempt of unknown fate had reached its recipient."
    ANSWERED = "answered", "An answer to an earlier attempt was saved late, and counts."
    SETTLED = "settled", "Another alarm of the same event was answered."
    SAME_MOMENT = (
        "same_moment",
        "Another alarm of the event is for the same recipient and moment; both end alike.",
    )
    BOOKED_LATE = "booked_late", "The event was booked too late for this step of its reminder plan."
    LATER_STEP = (
        "later_step",
        "The time of this step of the reminder plan had passed; a later step goes out instead.",
    )
    CANCELLED = "cancelled", "A client cancelled it."
    DELETED = "deleted", "A client deleted the alarm, or its event."
    ERASED = "erased", "The person was erased; nobody is called."
    RESCHEDULED = "rescheduled", "The alarm was moved to a later time; it goes out then."
    EVENT_PAUSED = "event_paused", "The event is paused, or was paused until it was too late."
    EVENT_COMPLETED = "event_completed", "The event was ended."
    OCCURRENCE_CANCELLED = "occurrence_cancelled", "This occurrence of the series was cancelled."
    OCCURRENCE_MOVED = "occurrence_moved", "This occurrence of the series was moved."
    NOT_IN_FILE = "not_in_file", "A newer file of the same source has it no more."
    WITHDRAWN = "withdrawn", "The attempt was called off before it came to an answer."


class CarerMode(Words):
    """`carer_mode` of a person: what the carer has to do with the person's alarms."""

    INSTEAD = "instead", "The carer is asked instead of the person."
    ALSO = "also", "The carer gets an alarm beside the person's."


class RetentionKind(Words):
    """`what` of the metric telealarm_rows_deleted: rows that had reached their age."""

    CALLS = "calls", "Calls, with their answers and transfers."
    RESULTS = "results", "Answers in surveys."
    RECORDINGS = "recordings", "Messages that callees recorded; the answer stays."
    MESSAGES = "messages", "SMS and mails."
    TIMELINES = "timelines", "Lines of timelines."
    INBOUND_SMS = "inbound_sms", "Received SMS."
    REPORTS = "reports", "Delivery reports without a message."
    WEBHOOKS = "webhooks", "Webhook deliveries."
    IMPORTS = "imports", "What imports wrote."
    IDEMPOTENCY = "idempotency", "Answers to POSTs with an Idempotency-Key."
    AUDIT = "audit", "Entries of the audit log."
    DELETED = "deleted", "Deleted events, alarms, calendars and calendar users."


class AuditRoad(Words):
    """`road` of an entry of the audit log: how the writer came in."""

    PASSWORD = "password", "A login, by its password."
    TOKEN = "token", "A login, by one of its tokens."
    COMMAND = "command", "A command on the machine, by a user of the system."
    IMPORT = "import", "The command `telealarm import`, by a user of the system."
    CALLER = "caller", "A caller at an inbound door or through FastAGI, such as a wake-up call."
    FEED = "feed", "A poll of a calendar feed, which `who` names."


class ImportOutcome(Words):
    """What `telealarm import` counts: what became of the events of a file."""

    MADE = "made", "The event is new."
    CHANGED = "changed", "The file has changed since the last import, and the event with it."
    UNCHANGED = "unchanged", "The file says what it said at the last import."
    CANCELLED = "cancelled", "The event is cancelled in the file."
    CALLED_OFF = "called off", "The event is not in the file any more, and nobody is notified."
    DELETED_HERE = "deleted here", "The event was deleted here and stays so."
    OLDER = "older", "A newer version of the event was imported before."


class TimelineWord(Words):
    """`what` of the rows of an alarm's timeline, beside the reasons of failed calls.

    The row's `why` says more.
    """

    # The alarm.
    CREATED = "created", "The alarm was made."
    DUE = "due", "The alarm is due, and an attempt is made."
    RESCHEDULED = "rescheduled", "The alarm was moved to a later time; what waited is called off."
    PAUSED = "paused", "The event was paused; the alarm waits."
    RESUMED = "resumed", "The event goes on, and the alarm with it."
    REARMED = "rearmed", "The alarm was set back to pending and goes out again."
    CALLED_OFF = "called_off", "The alarm was called off while a call rang or was up."
    CANCELLED = "cancelled", "The alarm or its waiting attempt was called off."
    DELETED = "deleted", "The alarm was deleted after its end."
    MISSED = "missed", "The alarm was not made in time; nobody is called any more."
    FOLDED = "folded", "Older entries were taken together; `why` says how many, and which."
    WORDS_MISSING = "words_missing", "The survey names values that the event's data does not have."
    # The attempt.
    DEFERRED = "deferred", "The attempt cannot be made now and waits."
    MOVED = "moved", "A client moved the waiting attempt to another time."
    WAITS = "waits", "A gateway, calendar or phone is busy; the attempt waits for its turn."
    HELD = "held", "Dialing is paused; the attempt waits."
    RELEASED = "released", "Dialing goes on; the attempt waits no more."
    PUT_BACK = "put_back", "The attempt could not be made just now; it waits again."
    FAILOVER = "failover", "The attempt goes on by the next gateway."
    WRONG = "wrong", "The message cannot be written; `why` says what is wrong."
    RESULT = "result", "The attempt is a success."
    SNOOZED = "snoozed", "The callee asked to be called again later."
    RETRY = "retry", "The attempt failed, and another follows."
    REDIAL = "redial", "Nobody can tell what became of the attempt; it is made again."
    FAILURE = "failure", "The alarm failed, and no attempt follows."
    WITHDRAWN = "withdrawn", "The attempt was called off before it came to an answer."
    DESK_CALLED = "desk_called", "The failure_phonenumber of the setting is called and told."
    DESK_REFUSED = "desk_refused", "The failure_phonenumber may not be called; `why` says why."
    # The call.
    ORIGINATE = "originate", "Asterisk is asked to place the call."
    RINGING = "ringing", "The phone rings."
    ANSWERED = "answered", "Somebody picked up."
    UNKNOWN = "unknown", "Nobody can tell what became of the call."
    FOUND = "found", "The channel of a doubtful call lives; the call goes on."
    ADOPTED = "adopted", "After a restart, this worker goes on with the call."
    TAKEN_BACK = "taken_back", "The ringing call was hung up; it is not wanted any more."
    HUNG_UP = "hung_up", "The call that was answered is over."
    CALLED_BACK = "called_back", "The callee rang back about the alarm."
    UNCHANGED = "unchanged", "The callee rang back and gave no answer; nothing changes."
    WRONG_PIN = "wrong_pin", "A caller who rang back keyed a wrong PIN."
    # The survey.
    KEY = "key", "The callee pressed a key or keyed a number."
    COMPLETED = "completed", "The callee reached a section that counts as an answer."
    MESSAGE_LEFT = "message_left", "An answering machine got the message."
    SPEECH_FAILED = "speech_failed", "A text could not be spoken; another text takes its place."
    SPEECH_LATE = (
        "speech_late",
        "The texts of the call were not rendered in time; `why` says how long the call waited.",
    )
    # Answers and replies.
    ANSWER = "answer", "The recipient answered by SMS or by a link."
    REPLY_UNCLEAR = "reply_unclear", "The recipient's SMS was not understood."
    REPLY_LATE = "reply_late", "The recipient's SMS came too late to count."
    STOP = "stop", "The recipient wants no more messages, and goes on a do-not-call list."
    START = "start", "The recipient wants messages again; what STOP listed is taken off."
    HELP = "help", "The recipient asked by SMS for help."
    # The alarm's own URL.
    URL_CALLED = "url_called", "The alarm's own URL was told the result."
    URL_FAILED = "url_failed", "The alarm's own URL could not be told the result."


class MessageTimeline(Words):
    """`what` of the rows of an alarm's timeline about messages whose method has no own words."""

    SENT = "message_sent", "The message was taken."
    FAILED = "message_failed", "The message was not taken."
    UNKNOWN = "message_unknown", "Nobody can tell whether the message was taken."


class PlanAction(Words):
    """`action` of a row of the plan, beside the alarm methods."""

    DEFER = "defer", "The attempt would wait until the time in `until`."
    SKIP = "skip", "The attempt would not be made."


class ClockChange(Words):
    """`why` of a row of the plan: a change of the clock touches the start of the event."""

    GAP = "clock_gap", "The clock skips the event's time; the event is later by the gap."
    TWICE = "clock_twice", "The event's time comes twice; the first is meant."


class ReplyOutcome(Words):
    """`outcome` in the answer to an SMS gateway that hands over a reply."""

    TAKEN = "taken", "The reply is the alarm's result."
    BEFORE = "answered_before", "The alarm was answered before; the first answer stays."
    CLOSED = "closed", "The alarm was called off, or its event is over; the reply does not count."
    UNCLEAR = "unclear", "The reply was not understood."
    STOPPED = "stopped", "The sender wants no more messages and is on a do-not-call list now."
    STOPPED_BEFORE = "stopped_before", "The sender was on a do-not-call list before."
    STARTED = "started", "The sender gets messages again; the entry that STOP made is removed."
    STILL_LISTED = "still_listed", "START came; an entry that STOP did not make stays."
    HELPED = "helped", "The sender asked for help."
    UNKNOWN_NUMBER = "unknown_number", "No message of an alarm went to this number."


class ReportOutcome(Words):
    """`outcome` in the answer to an SMS gateway that reports a delivery."""

    KNOWN = "known", "The same was reported before."
    KEPT = "kept", "The message is just being sent; the report is kept for it."
    IGNORED = "ignored", "The report says only that the message is on its way."
    UNKNOWN_MESSAGE = "unknown_message", "No message has this id."
