"""The texts of rendered prompts, each in a file beside its sound.

The name of a sound tells nothing. So the text tells which sounds name a person, who may have to be
erased.
"""

from collections.abc import Callable
from pathlib import Path

from telealarm.rules import audio
from telealarm.store.survey import audio_files

SUFFIX = ".txt"
_SOUNDS = (audio.SUFFIX, audio.WIDE_SUFFIX)


def keep(sound: Path, text: str) -> None:
    """Write the text of a sound. Only this user can read it. Raises OSError."""
    content = text.encode(errors="surrogatepass")
    audio_files.put(sound.with_suffix(SUFFIX), content, mode=0o600)


def forget(folder: Path, names: Callable[[str], bool]) -> int:
    """Delete the sounds whose text `names` a person, and sounds without a text. Return how many.

    Sounds that an earlier version rendered have no text: nobody can tell what they say. What a call
    still needs is rendered again.
    """
    count = 0
    for path in folder.glob(f"*{audio.SUFFIX}") if folder.is_dir() else ():
        text = path.with_suffix(SUFFIX)
        try:
            spoken = text.read_text(encoding="utf-8", errors="surrogatepass")
        except FileNotFoundError:
            spoken = None
        if spoken is None or names(spoken):
            for suffix in (*_SOUNDS, SUFFIX):
                path.with_suffix(suffix).unlink(missing_ok=True)
            count += 1
    return count
