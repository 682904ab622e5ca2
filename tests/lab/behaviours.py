"""What a phone of the lab does when it is called. SIPp carries it out by its own scenario."""

from dataclasses import dataclass

FOREVER = 3600.0
TALK_SECONDS = 300.0


@dataclass(frozen=True)
class Behaviour:
    """Times are seconds. Without `refuses`, the phone rings for `ring` and is picked up.

    After `voice_after` it speaks for `voice` (a tone), if at all. `info`: keys are sent as SIP INFO
    instead of RTP events, of which the phone knows nothing then. `tones`: neither knows it, its
    keys are tones in the voice. `codec` is the only one that it takes.

    It may ring for FOREVER, be silent for FOREVER, press no key and never hang up: then the test
    does it, when it is time for it (`Phone.pick_up`, `speak`, `press` and `hang_up`).

    `keys` are pressed, the first one `first_key` after the call was answered and each next one
    `between` later. Then the phone listens until the caller hangs up, or hangs up itself after
    `hang_up`. At once after the answer it `says` something, and `beeps`; it is silent then.
    """

    refuses: tuple[int, str, str] | None = None
    texts: bool = False
    busy_calls: int = 0
    ring: float = 0.5
    keys: str = ""
    first_key: float = 1.0
    between: float = 0.7
    hang_up: float = FOREVER
    voice: float = 0.0
    voice_after: float = 1.0
    info: bool = False
    tones: bool = False
    codec: str = "PCMU"
    says: str = ""
    beeps: bool = False


def answers_and_presses(
    keys: str, *, first_key: float = 1.0, between: float = 0.7, ring: float = 0.5
) -> Behaviour:
    return Behaviour(keys=keys, first_key=first_key, between=between, ring=ring)


def by_hand(*, ring: float = 0.5, voice: float = 0.0) -> Behaviour:
    """The test presses the keys, speaks for `voice` seconds, and hangs up; with `ring` FOREVER it
    picks up too.
    """
    return Behaviour(ring=ring, voice=voice, voice_after=FOREVER)


def talks_on(*, ring: float = 0.5) -> Behaviour:
    """Speaks from its first second on, until the test hangs it up."""
    return Behaviour(ring=ring, voice=TALK_SECONDS)


def answers_only(*, ring: float = 0.5) -> Behaviour:
    return Behaviour(ring=ring)


def busy_once_then_answers(keys: str, *, first_key: float = 1.0, ring: float = 0.5) -> Behaviour:
    return Behaviour(busy_calls=1, keys=keys, first_key=first_key, ring=ring)


def hangs_up_after(seconds: float, *, keys: str = "", ring: float = 0.5) -> Behaviour:
    """Answers and hangs up, `seconds` after the answer or the last key."""
    return Behaviour(hang_up=seconds, keys=keys, ring=ring)


def takes_texts() -> Behaviour:
    """Is no telephone: it takes SIP MESSAGEs, and logs `text ...` for each."""
    return Behaviour(texts=True)


def never_answers() -> Behaviour:
    return Behaviour(ring=FOREVER)


def busy() -> Behaviour:
    return Behaviour(refuses=(486, "Busy Here", "busy"))


def declines() -> Behaviour:
    return Behaviour(refuses=(603, "Decline", "declined"))


def congestion() -> Behaviour:
    return Behaviour(refuses=(503, "Service Unavailable", "congestion"))


def speaks(
    seconds: float, *, after: float, keys: str = "", first_key: float = 1.0, ring: float = 0.5
) -> Behaviour:
    """Answers, and speaks `after` that for so long; then presses the keys."""
    return Behaviour(voice=seconds, voice_after=after, keys=keys, first_key=first_key, ring=ring)


def presses_by_info(keys: str, *, first_key: float = 1.0, between: float = 0.7) -> Behaviour:
    """A phone whose keys go by SIP INFO."""
    return Behaviour(keys=keys, first_key=first_key, between=between, info=True)


def presses_by_tones(keys: str = "", *, first_key: float = 1.0, codec: str = "PCMU") -> Behaviour:
    """An old phone: its keys are heard as tones."""
    return Behaviour(keys=keys, first_key=first_key, tones=True, codec=codec)


def by_hand_with(codec: str) -> Behaviour:
    """A phone that takes only this codec: PCMU, PCMA or G722."""
    return Behaviour(codec=codec)


def person(keys: str = "", *, first_key: float = 6.0) -> Behaviour:
    """Says hello, as people do, and waits."""
    return Behaviour(says="Hello?", keys=keys, first_key=first_key)


def voicemail() -> Behaviour:
    """An answering machine: its greeting, a beep, and then it records."""
    return voicemail_with_keys("")


def voicemail_with_keys(keys: str, *, first_key: float = 1.0) -> Behaviour:
    """Somebody who talks like an answering machine, and presses keys."""
    greeting = (
        "You have reached the answering machine of Robert Smith. I cannot come to the telephone"
        " now. Please leave your name and your number after the tone, and I will call you back."
    )
    return Behaviour(says=greeting, beeps=True, keys=keys, first_key=first_key)
