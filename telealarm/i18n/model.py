"""The content of a language file: the texts that recipients hear and read, and words of replies.

The fields here are the names of the texts. languages/en.yml explains each of them.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class WakeUpTexts(_Part):
    """What the wake-up door says about a wake-up call."""

    once: str
    daily: str
    have_once: str
    have_daily: str
    kept_once: str
    kept_daily: str


class ReadBackTexts(_Part):
    """How an answer is read back to the callee."""

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


class VoicemailTexts(_Part):
    """What an answering machine hears: who called, and which number to ring back."""

    from_name_and_number: str
    from_name: str
    from_number: str
    from_nobody: str


class SpokenTexts(_Part):
    """What is spoken on the telephone. The keys of `prompts` are the names of their sounds."""

    prompts: dict[str, str]
    wake_up: WakeUpTexts
    read_back: ReadBackTexts
    failure: SpokenFailure
    voicemail: VoicemailTexts


class MessageTexts(_Part):
    """The text of an alarm by SMS or mail without a template."""

    sms: str
    mail_subject: str
    mail_text: str


class ReplyTexts(_Part):
    """The SMS that answers a reply."""

    confirmed: str
    cancelled: str
    reschedule: str
    stopped: str
    started: str
    still_listed: str
    further: str
    help_who: str
    help_stop: str
    help_start: str
    help_call: str
    unclear: str
    late: str
    answered_before: str


class MailTexts(_Part):
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


class PageTexts(_Part):
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


class WrittenTexts(_Part):
    """What SMS, mails and pages say."""

    message: MessageTexts
    reply: ReplyTexts
    mail: MailTexts
    failure: WrittenFailure
    page: PageTexts


class ReplyWords(_Part):
    """Words and phrases of replies.

    `only_alone`: words that may mean something else within a sentence. `cancel_or_stop`: words that
    mean the appointment or all messages. `polite`: words that change nothing. `option`: words that
    say of a digit that it is the choice. `doubt`: phrases that begin like a word with a meaning,
    but mean something else.
    """

    confirm: list[str] = []
    cancel: list[str] = []
    reschedule: list[str] = []
    stop: list[str] = []
    start: list[str] = []
    help: list[str] = []
    only_alone: list[str] = []
    cancel_or_stop: list[str] = []
    polite: list[str] = []
    option: list[str] = []
    doubt: list[str] = []


class LanguageFile(_Part):
    """A file of `languages/`. Its missing texts are filled in from English."""

    # How a time of day is spoken; see rules.spoken.
    clock: Literal["twelve", "hours", "digits"] = "digits"
    spoken: SpokenTexts
    written: WrittenTexts
    words: ReplyWords = ReplyWords()


class Language(LanguageFile):
    """A language. `lacking` names the texts that are English, like `written.page.about`."""

    code: str
    lacking: frozenset[str]
