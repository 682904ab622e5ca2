"""Sound for the telephone: 8 kHz, 16 bit, one channel, as Asterisk's .wav wants it."""

import audioop
import io
import wave

RATE = 8000
_WIDTH = 2


def for_telephone(wav: bytes) -> bytes:
    """`wav` (PCM of any rate, width and channels) as 8 kHz, 16 bit mono.

    Raises ValueError where it is no such wav file, or an empty one.
    """
    try:
        with wave.open(io.BytesIO(wav)) as source:
            channels, width, rate = (
                source.getnchannels(),
                source.getsampwidth(),
                source.getframerate(),
            )
            frames = source.readframes(source.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"not a PCM wav file: {error}") from None
    if not frames:
        raise ValueError("it holds no sound")
    if width == 1:
        frames = audioop.bias(frames, 1, -128)  # a wav's 8 bits are unsigned
    if width != _WIDTH:
        frames = audioop.lin2lin(frames, width, _WIDTH)
    if channels == 2:
        frames = audioop.tomono(frames, _WIDTH, 0.5, 0.5)
    elif channels != 1:
        raise ValueError(f"it has {channels} channels; one or two can be played")
    if rate != RATE:
        # Weighing each sample with the one before damps what 8 kHz cannot hold.
        weights = (1, 1) if rate > RATE else (1, 0)
        frames, _ = audioop.ratecv(frames, _WIDTH, 1, rate, RATE, None, *weights)
    out = io.BytesIO()
    with wave.open(out, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(_WIDTH)
        target.setframerate(RATE)
        target.writeframes(frames)
    return out.getvalue()


def seconds(wav: bytes) -> float:
    """How long a wav file plays."""
    with wave.open(io.BytesIO(wav)) as source:
        return float(source.getnframes() / source.getframerate())
