"""The pure rules, as people meet them."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from telealarm.errors import IllegalTransition
from telealarm.rules import dates, disposition, outcome, phone, placeholders, transitions
from telealarm.rules.dial_route import Route
from telealarm.rules.phone_number import PhoneNumber
from telealarm.words import AlarmStatus, Disposition, Reason

MADRID = ZoneInfo("Europe/Madrid")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


# Dispositions


@pytest.mark.parametrize(
    ("cause", "rang", "expected", "reason"),
    [
        (17, True, Disposition.BUSY, Reason.BUSY),
        (19, True, Disposition.NOANSWER, Reason.NO_ANSWER),
        (18, False, Disposition.NOANSWER, Reason.NO_ANSWER),
        (0, True, Disposition.NOANSWER, Reason.NO_ANSWER),
        (21, True, Disposition.CANCEL, Reason.DECLINED),
        (34, False, Disposition.CONGESTION, Reason.CONGESTION),
        (1, False, Disposition.FAILED, Reason.WRONG_NUMBER),
        (28, False, Disposition.FAILED, Reason.WRONG_NUMBER),
        (0, False, Disposition.FAILED, Reason.FAILED),
        (127, False, Disposition.FAILED, Reason.FAILED),
    ],
)
def test_a_call_that_was_not_answered_is_told_by_its_cause(
    cause: int, rang: bool, expected: Disposition, reason: Reason
) -> None:
    found = disposition.of_call(answered=False, rang=rang, cause=cause)
    assert (found, disposition.reason(found, cause)) == (expected, reason)


def test_an_answered_call_is_answered_whatever_the_cause() -> None:
    assert disposition.of_call(answered=True, rang=True, cause=17) is Disposition.ANSWER


# Verdicts


def attempt(**changes: object) -> outcome.CallEnd:
    values: dict[str, object] = {
        "disposition": Disposition.ANSWER,
        "cause": 16,
        "has_key": False,
        "heard_first_prompt": True,
        "finished": True,
        **changes,
    }
    return outcome.CallEnd(**values)  # type: ignore[arg-type]


def test_no_key_is_a_success_unless_a_result_is_required() -> None:
    assert outcome.failure(attempt(), require_result=False) is None
    assert outcome.failure(attempt(), require_result=True) is Reason.NO_KEY


def test_a_hang_up_within_the_first_prompt_is_a_failed_attempt() -> None:
    early = attempt(heard_first_prompt=False)
    assert outcome.failure(early, require_result=False) is Reason.EARLY_HANGUP


def test_a_key_counts_even_where_the_call_was_broken_off() -> None:
    kept = attempt(has_key=True, heard_first_prompt=False, finished=False)
    assert outcome.failure(kept, require_result=True) is None


def test_a_session_that_we_broke_off_is_not_the_callees_doing() -> None:
    broken = attempt(heard_first_prompt=False, finished=False)
    assert outcome.failure(broken, require_result=False) is Reason.INTERRUPTED


def test_a_hang_up_while_nobody_talked_is_no_success() -> None:
    alone = attempt(finished=False, hung_up=True)
    assert outcome.failure(alone, require_result=False) is Reason.EARLY_HANGUP


def test_a_machine_that_was_cut_off_is_called_again_and_one_that_has_the_message_is_not() -> None:
    cut = {"disposition": Disposition.MACHINE, "for_machines": True, "finished": False}
    heard = attempt(**cut)
    assert outcome.failure(heard, require_result=False) is None
    unheard = attempt(**cut, heard_first_prompt=False)
    assert outcome.failure(unheard, require_result=False) is Reason.INTERRUPTED


def retry(reason: Reason, failures: dict[str, int], **changes: object) -> datetime | None:
    values: dict[str, object] = {
        "ended": NOON,
        "failures": failures,
        "maxretry": 2,
        "retry_delay_seconds": 60,
        "policy": None,
        **changes,
    }
    return outcome.retry_at(reason, **values)  # type: ignore[arg-type]


def test_maxretry_counts_the_attempts_after_the_first() -> None:
    assert retry(Reason.BUSY, {"busy": 1}) == NOON + timedelta(seconds=60)
    assert retry(Reason.BUSY, {"busy": 1, "no_answer": 1}) == NOON + timedelta(seconds=60)
    assert retry(Reason.BUSY, {"busy": 3}) is None


def test_a_reason_with_a_policy_has_a_count_and_delay_of_its_own() -> None:
    policy = {"busy": {"delay": 5, "count": 1}}
    assert retry(Reason.BUSY, {"busy": 1}, policy=policy) == NOON + timedelta(seconds=5)
    assert retry(Reason.BUSY, {"busy": 2}, policy=policy) is None
    # The busy attempts use up none of the others' retries.
    mixed = {"busy": 2, "no_answer": 2}
    assert retry(Reason.NO_ANSWER, mixed, policy=policy) == NOON + timedelta(seconds=60)


def test_a_call_that_was_cut_off_is_placed_again_three_times_and_uses_no_retry() -> None:
    soon, later = NOON, NOON + timedelta(seconds=30)
    again = [retry(Reason.INTERRUPTED, {"interrupted": n}, maxretry=0) for n in (1, 2, 3, 4)]
    assert again == [soon, later, later, None]
    mixed = {"interrupted": 3, "busy": 1}
    assert retry(Reason.BUSY, mixed, maxretry=1) == NOON + timedelta(seconds=60)
    policy = {"early_hangup": {"delay": 7, "count": 0}}
    assert retry(Reason.INTERRUPTED, {"interrupted": 1}, policy=policy) == soon


@pytest.mark.parametrize(
    ("reason", "key"),
    [
        (Reason.BUSY, "busy"),
        (Reason.NO_ANSWER, "no_answer"),
        (Reason.DECLINED, "declined"),
        (Reason.CONGESTION, "congestion"),
        (Reason.FAILED, "failed"),
        (Reason.UNKNOWN, "failed"),
        (Reason.MACHINE, "machine"),
        (Reason.NO_KEY, "no_key"),
        (Reason.EARLY_HANGUP, "early_hangup"),
    ],
)
def test_every_reason_has_its_key_in_the_policy(reason: Reason, key: str) -> None:
    policy = {key: {"delay": 7, "count": 1}}
    assert retry(reason, {reason: 1}, policy=policy, maxretry=0) == NOON + timedelta(seconds=7)
    assert retry(reason, {reason: 2}, policy=policy, maxretry=9) is None
    other = {"busy" if key != "busy" else "failed": {"delay": 7, "count": 1}}
    assert retry(reason, {reason: 1}, policy=other, maxretry=0) is None


def test_a_wrong_number_is_final_at_once() -> None:
    assert retry(Reason.WRONG_NUMBER, {"wrong_number": 1}) is None


# Phone numbers


def test_numbers_are_cleaned_of_what_people_write_between_the_digits() -> None:
    assert phone.clean("+34 (600) 12-34.56") == "+34600123456"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+34600123456", "0034600123456"),
        ("+34 (600) 12-34.56", "0034 600 123 456"),
        ("600 123", "600123"),
        ("+34600123456", "+34-600-123-456"),
    ],
)
def test_one_number_written_in_two_ways_is_one_number(one: str, other: str) -> None:
    assert phone.normal(one) == phone.normal(other)
    assert phone.clean(one) in phone.spellings(other)
    assert phone.clean(other) in phone.spellings(one)


def test_a_national_number_is_not_taken_for_an_international_one() -> None:
    assert phone.normal("34600123456") != phone.normal("+34600123456")
    assert phone.spellings("600") == {"600"}


@pytest.mark.parametrize("number", ["", "abc", "600@trunk", "600&PJSIP/x", "١٢٣", "6" * 60, "6\n"])
def test_what_is_no_number_never_reaches_a_dial_string(number: str) -> None:
    assert not phone.is_dialable(number)
    with pytest.raises(ValueError, match="no phone number"):
        phone.endpoint("PJSIP/{number}@trunk", number)


def test_prefixes_change_the_number_before_it_is_dialled() -> None:
    route = Route(removeprefix="+34", addprefix="9")
    dialled = route.dialled(PhoneNumber("+34600100200", "+34600100200"))
    assert phone.endpoint("PJSIP/{number}@trunk", dialled) == "PJSIP/9600100200@trunk"


@pytest.mark.parametrize(
    "template", ["PJSIP/trunk", "Local/{number}@x", "PJSIP/{number}@${X}", "PJSIP/{number},s"]
)
def test_a_dial_template_is_a_pjsip_endpoint_with_the_number_once(template: str) -> None:
    assert not phone.is_template(template)


def test_a_caller_id_holds_nothing_that_breaks_a_header() -> None:
    assert phone.caller_id('Dr "X"\r\nTo: <y>', "12 34") == '"Dr XTo y" <1234>'
    assert phone.caller_id("", "not a number") == ""


# Placeholders


def test_placeholders_are_put_in_as_plain_text() -> None:
    text = "You see {doc_name} at {apt_date}{missing}."
    values = {"doc_name": "Dr. {apt_date}", "apt_date": "10:30"}
    assert placeholders.fill(text, values) == "You see Dr. {apt_date} at 10:30."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello {name}, you see {doc}.", "Hello, you see."),
        ("{name} hello", "hello"),
        ("Hello {name|dear patient}, see {doc|}.", "Hello dear patient, see ."),
        ("Hello {empty|you}{list|!}{object}", "Hello !"),
    ],
)
def test_what_has_no_value_is_left_out_or_has_words_of_its_own(text: str, said: str) -> None:
    values = {"name": None, "empty": "", "list": ["a"], "object": {"a": 1}}
    assert placeholders.fill(text, values) == said


def test_what_lacks_a_value_is_named_once() -> None:
    text = "{doc} {name} {doc} {time|soon} {empty} {0} {list}"
    assert placeholders.lacking(text, {"name": "Ann", "empty": "", "list": []}) == ["doc", "list"]


def test_a_name_is_any_key_that_people_write() -> None:
    text = "{médico}, { apt-date }, {Room No.}, {a.b}, {врач|nobody}."
    values = {"médico": "Ruiz", "apt-date": "noon", "Room No.": 7, "a.b": "c"}
    assert placeholders.fill(text, values) == "Ruiz, noon, 7, c, nobody."
    assert placeholders.lacking(text, {}) == ["médico", "apt-date", "Room No.", "a.b"]


def test_of_a_text_without_a_word_nothing_is_read_aloud() -> None:
    assert placeholders.speakable("{greeting}.", {}) == ""
    assert placeholders.speakable("<<>> \U0001f600 --", {}) == ""
    assert placeholders.speakable("{greeting}.", {"greeting": "Привет"}) == "Привет."


@pytest.mark.parametrize("text", [" " * 10_000, "{" * 10_000, "{a " * 3_333, " {a|" * 2_500])
def test_a_text_that_is_meant_to_take_long_does_not(text: str) -> None:
    started = time.process_time()
    placeholders.fill(text, {})
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize("hostile", ["{0.__class__}", "{doc_name!r}", "{a[0]}", "{{", "%s", "{}"])
def test_what_is_no_placeholder_stays_text(hostile: str) -> None:
    assert placeholders.fill(hostile, {"a": 1}) == hostile


def test_a_value_or_a_text_without_end_is_cut() -> None:
    values = {"a": "x" * 1_000_000}
    assert len(placeholders.fill("{a}", values)) == 500
    assert len(placeholders.fill("{a}" * 3000, values)) <= 10_000


@pytest.mark.parametrize("pattern", [r"\+?[0-9]{6,15}", "[1-9][0-9]*", r"(?:\+34|0034)?[67]\d{8}"])
def test_a_quick_pattern_is_allowed(pattern: str) -> None:
    assert phone.is_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "([0-9]+)+x",
        "(a|aa)*b",
        "1*2*3*4*x",
        r"(\d)\1",
        "(?=1)1",
        "(",
        "[0-9]{1,9}{1,9}",
    ],
)
def test_a_pattern_that_can_take_for_ever_is_refused(pattern: str) -> None:
    assert not phone.is_pattern(pattern)


# Dates and transitions


def test_a_wall_time_in_the_gap_moves_forward_and_a_double_one_is_the_first() -> None:
    gap = dates.to_utc(datetime(2026, 3, 29, 2, 30), MADRID)
    assert gap.astimezone(MADRID) == datetime(2026, 3, 29, 3, 30, tzinfo=MADRID)
    fold = dates.to_utc(datetime(2026, 10, 25, 2, 30), MADRID)
    assert fold == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_month_later_is_the_same_day_or_the_last() -> None:
    assert dates.add_month(datetime(2026, 1, 31)) == datetime(2026, 2, 28)
    assert dates.add_month(datetime(2026, 12, 5)) == datetime(2027, 1, 5)
    assert dates.add_month(datetime(2026, 11, 30)) == datetime(2026, 12, 30)


def test_a_change_that_is_not_listed_is_an_error() -> None:
    transitions.check(transitions.ALARM, AlarmStatus.PENDING, AlarmStatus.IN_PROCESS)
    with pytest.raises(IllegalTransition, match="SUCCESS cannot become RETRY"):
        transitions.check(transitions.ALARM, AlarmStatus.SUCCESS, AlarmStatus.RETRY)
