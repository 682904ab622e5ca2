"""The disposition of a call, and the reason of a failure, from what Asterisk reports."""

from dataclasses import dataclass

from telealarm.words import AmdStatus, Disposition, Reason

# Q.850 hang-up causes.
NORMAL_CLEARING = 16
BUSY = {17}
NO_ANSWER = {18, 19}
DECLINED = {21}
CONGESTION = {34, 38, 41, 42, 44, 47, 58}
WRONG_NUMBER = frozenset({1, 2, 3, 22, 28})
# The line broke in the middle of a call: nobody hung up.
LOST_LINE = frozenset({27, 38, 41, 102})


def of_call(*, answered: bool, rang: bool, cause: int) -> Disposition:
    """Return the disposition of a channel that ended with the Q.850 `cause`.

    Asterisk's dialstatus is used only for ANSWER (`answered`). For a declined call and for an
    unknown number it is NOANSWER too. Cause 0 after ringing is a no answer.
    """
    if answered:
        return Disposition.ANSWER
    if cause in BUSY:
        return Disposition.BUSY
    if cause in NO_ANSWER or (cause == 0 and rang):
        return Disposition.NOANSWER
    if cause in DECLINED:
        return Disposition.CANCEL
    if cause in CONGESTION:
        return Disposition.CONGESTION
    return Disposition.FAILED


_REASONS: dict[Disposition, str] = {
    Disposition.BUSY: Reason.BUSY,
    Disposition.NOANSWER: Reason.NO_ANSWER,
    Disposition.CANCEL: Reason.DECLINED,
    Disposition.CONGESTION: Reason.CONGESTION,
    Disposition.FAILED: Reason.FAILED,
    Disposition.MACHINE: Reason.MACHINE,
}


@dataclass(frozen=True)
class CauseRule:
    """Calls of this disposition that end with one of these causes fail for another reason.

    The reason may have an entry in an alarm's `retry_policy`, unless it is `final`: then calling
    again cannot help.
    """

    disposition: Disposition
    causes: frozenset[int]
    reason: str
    final: bool = False


RULES = (CauseRule(Disposition.FAILED, WRONG_NUMBER, Reason.WRONG_NUMBER, final=True),)

# The reasons after which calling again may help, and those after which it cannot.
RETRIED = (*_REASONS.values(), *(rule.reason for rule in RULES if not rule.final))
FINAL = frozenset(rule.reason for rule in RULES if rule.final)


def reason(disposition: Disposition, cause: int) -> str:
    """Return why a call with this disposition (not ANSWER) failed."""
    for rule in RULES:
        if disposition is rule.disposition and cause in rule.causes:
            return rule.reason
    return _REASONS[disposition]


# Asterisk's words in the `disposition` column of a CDR.
_CDR = {
    "ANSWERED": Disposition.ANSWER,
    "NO ANSWER": Disposition.NOANSWER,
    "BUSY": Disposition.BUSY,
    "CONGESTION": Disposition.CONGESTION,
    "FAILED": Disposition.FAILED,
}


def of_cdr(word: str) -> Disposition:
    """Return the disposition of a CDR row. A word that Asterisk does not use is FAILED."""
    return _CDR.get(word.strip().upper(), Disposition.FAILED)


# Asterisk's AMDSTATUS. NOTSURE counts as a person: a person would hear only silence otherwise.
_AMD = {"HUMAN": AmdStatus.PERSON, "MACHINE": AmdStatus.MACHINE, "NOTSURE": AmdStatus.UNSURE}


def of_amd(word: str) -> AmdStatus | None:
    """Return what Asterisk's AMDSTATUS means, or None if AMD did not run."""
    return _AMD.get(word)


# A CDR has no cause. These causes are stored for a disposition that comes from a CDR.
CAUSES = {
    Disposition.ANSWER: NORMAL_CLEARING,
    Disposition.BUSY: 17,
    Disposition.NOANSWER: 19,
    Disposition.CONGESTION: 34,
}
