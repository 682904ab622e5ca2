"""Sound for the telephone: 16 bit, mono, and one of two rates.

8 kHz is the format of Asterisk's .wav files, 16 kHz that of its .wav16 files. If both lie side by
side, Asterisk plays the one that fits the codec of the call.
"""

import audioop
import io
import struct
import wave

RATE, WIDE_RATE = 8000, 16_000
SUFFIX, WIDE_SUFFIX = ".wav", ".wav16"
# The length of a rendered prompt's name. The names of recordings are longer.
PROMPT_DIGITS = 48
WAV, WIDE_WAV = "audio/x-wav", "application/octet-stream"
_WIDTH = 2
# A hundredth of a second whose loudest sample is below this is silence.
_AUDIBLE = 200
_SLOWEST, _FASTEST = 1000, 192_000


def for_telephone(wav: bytes, most_seconds: float | None = None, rate: int = RATE) -> bytes:
    """Return `wav` as 16 bit mono with so many samples a second (`rate`).

    Accepts PCM with one or two channels, 8 to 32 bits, 1 to 192 kHz. Raises ValueError if `wav`
    is not such a file, is empty, or plays longer than `most_seconds`.
    """
    frames, channels, width, own_rate = _read(wav)
    if channels not in (1, 2):
        raise ValueError(f"it has {channels} channels; one or two can be played")
    if width not in (1, 2, 3, 4):
        raise ValueError(f"it has {8 * width} bits a sample; 8, 16, 24 or 32 can be played")
    if not _SLOWEST <= own_rate <= _FASTEST:
        raise ValueError(f"it has {own_rate} samples a second; 1000 to 192000 can be played")
    frames = frames[: len(frames) - len(frames) % (channels * width)]
    if not frames:
        raise ValueError("it holds no sound")
    if most_seconds is not None and len(frames) / (channels * width * own_rate) > most_seconds:
        raise ValueError(f"it plays longer than {most_seconds:g} seconds")
    if width == 1:
        frames = audioop.bias(frames, 1, -128)  # a wav's 8 bits are unsigned
    if width != _WIDTH:
        frames = audioop.lin2lin(frames, width, _WIDTH)
    if channels == 2:
        frames = audioop.tomono(frames, _WIDTH, 0.5, 0.5)
    if own_rate != rate:
        # A mean of each sample and the one before damps frequencies that the new rate cannot hold.
        weights = (1, 1) if own_rate > rate else (1, 0)
        frames, _ = audioop.ratecv(frames, _WIDTH, 1, own_rate, rate, None, *weights)
    return _wav(frames, rate)


def of_speech(wav: bytes, rate: int = RATE) -> bytes:
    """Return speech as `for_telephone` does, without the silence at its beginning.

    Speech engines begin with silence, and the callee would wait for it. Raises ValueError as
    `for_telephone` does, and if the file holds only silence.
    """
    sound = for_telephone(wav, rate=rate)
    with wave.open(io.BytesIO(sound)) as source:
        frames = source.readframes(source.getnframes())
    step = _WIDTH * rate // 100
    for start in range(0, len(frames), step):
        if audioop.max(frames[start : start + step], _WIDTH) > _AUDIBLE:
            return _wav(frames[max(0, start - step) :], rate)
    raise ValueError("it holds nothing but silence")


def cut(sound: bytes, most_seconds: float) -> bytes:
    """Return the first `most_seconds` of a sound that `for_telephone` returned."""
    with wave.open(io.BytesIO(sound)) as source:
        rate = source.getframerate()
        return _wav(source.readframes(round(most_seconds * rate)), rate)


def _wav(frames: bytes, rate: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(_WIDTH)
        target.setframerate(rate)
        target.writeframes(frames)
    return out.getvalue()


def _read(wav: bytes) -> tuple[bytes, int, int, int]:
    """Return frames, channels, bytes a sample, and samples a second."""
    try:
        with wave.open(io.BytesIO(wav)) as source:
            return (
                source.readframes(source.getnframes()),
                source.getnchannels(),
                source.getsampwidth(),
                source.getframerate(),
            )
    except (wave.Error, EOFError, RuntimeError, struct.error) as error:
        message = str(error) or "it breaks off"
        raise ValueError(f"not a PCM wav file: {message}") from None


def seconds(wav: bytes) -> float:
    """Return how long a wav file plays."""
    with wave.open(io.BytesIO(wav)) as source:
        return float(source.getnframes() / source.getframerate())
