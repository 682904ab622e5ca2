"""What a language file holds: every text that a recipient hears or reads, and what they write back.

The names of the texts are the fields here; languages/en.yml says what each is for.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class WakeUp(_Part):
    """What the wake-up door says of a wake-up call."""

    once: str
    daily: str
    have_once: str
    have_daily: str
    kept_once: str
    kept_daily: str


class ReadBack(_Part):
    """What was understood, spoken back to the callee."""

    rating_1: str
    rating_2: str
    rating_3: str
    key: str
    label: str
    number: str


class SpokenFailure(_Part):
    """The call to failure_phonenumber."""

    room: str
    other: str


class Spoken(_Part):
    """What is said on the telephone. `prompts` by the name of their sound."""

    prompts: dict[str, str]
    wake_up: WakeUp
    read_back: ReadBack
    failure: SpokenFailure


class Message(_Part):
    """An alarm by SMS or mail that names no template."""

    sms: str
    mail_subject: str
    mail_text: str


class Reply(_Part):
    """The SMS that answers a reply."""

    confirmed: str
    cancelled: str
    reschedule: str
    stopped: str
    unclear: str
    late: str
    answered_before: str


class Mail(_Part):
    """The links of a mail, and the subjects of mails about an invitation that has changed."""

    confirm: str
    cancel: str
    unsubscribe: str
    moved: str
    called_off: str


class WrittenFailure(_Part):
    """The SMS to phonenumber_sms_failure."""

    failed: str
    call_missed: str
    sms_missed: str
    mail_missed: str


class Page(_Part):
    """The pages behind the links."""

    about: str
    confirm_button: str
    cancel_button: str
    unsubscribe_button: str
    confirmed: str
    cancelled: str
    answered: str
    closed: str
    expired: str
    no_link: str
    stop_asked: str
    stopped: str


class Written(_Part):
    """What is written in SMS, mails and pages."""

    message: Message
    reply: Reply
    mail: Mail
    failure: WrittenFailure
    page: Page


class Words(_Part):
    """What people write back. `only_alone`: those that may mean another thing in a sentence."""

    confirm: list[str] = []
    cancel: list[str] = []
    reschedule: list[str] = []
    stop: list[str] = []
    only_alone: list[str] = []


class LanguageFile(_Part):
    """A file of `languages/`, its missing texts filled in from English."""

    # How a time of day is said, see rules.spoken.
    clock: Literal["twelve", "hours", "digits"] = "digits"
    spoken: Spoken
    written: Written
    words: Words = Words()


class Language(LanguageFile):
    """A language. `lacking` names the texts that are English, like `written.page.about`."""

    code: str
    lacking: frozenset[str]
