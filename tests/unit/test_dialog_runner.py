"""A dialogue on a line that is cut: what was keyed before counts, what was not does not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from telealarm.asterisk.ari.errors import NotFound
from telealarm.survey.channel_io import ChannelIO, HungUp
from telealarm.survey.inbound.dialog import Ask, Dialog, DoorRequest, Phrase, say
from telealarm.survey.inbound.dialog_runner import DialogRunner
from telealarm.survey.tts.prompts import Prompts
from telealarm.survey.tts.speech import Speech
from tests.lab.key import KEY


class CutLine:
    """A line on which these keys are pressed while it speaks, and then the caller hangs up."""

    def __init__(self, keys: str) -> None:
        self._keys = list(keys)

    async def say(self, prompt: object, react: Callable[[str], Any]) -> Any:
        if not self._keys:
            raise NotFound("channel")
        return react(self._keys.pop(0))

    async def keys(self, seconds: float, react: Callable[[str], Any]) -> Any:
        if not self._keys:
            raise HungUp
        return react(self._keys.pop(0))

    async def hold(self, seconds: float) -> None:
        if not self._keys:
            raise NotFound("channel")

    async def quiet(self) -> None:
        pass


def dialogue() -> Dialog[None]:
    keyed = yield Ask((Phrase("wakeup-confirm"),), 1)
    if keyed == "1":
        yield DoorRequest()
    yield say("goodbye")


async def orders(keys: str, folder: Path) -> int:
    """How many orders were done before the hang-up was seen."""
    done = []

    async def obey(order: DoorRequest) -> None:
        done.append(order)

    prompts = Prompts(folder, "http://127.0.0.1:1", Speech({}, 1.0), key=KEY)
    talk = DialogRunner(cast(ChannelIO, CutLine(keys)), prompts, "en", obey)
    with pytest.raises((HungUp, NotFound)):
        await talk.run(dialogue())
    return len(done)


async def test_who_hangs_up_with_the_last_key_has_ordered(tmp_path: Path) -> None:
    assert await orders("1", tmp_path) == 1


async def test_who_hangs_up_before_it_has_not(tmp_path: Path) -> None:
    assert await orders("", tmp_path) == 0
