"""The demo tells the truth: it ends well, and it fails when a phone is dead."""

from contextlib import AsyncExitStack

import pytest

from tests.lab.demo import Demo, DemoFailed


async def test_the_morning_ends_as_it_is_meant_to() -> None:
    async with AsyncExitStack() as stack:
        counts = await Demo().play(stack)
    assert counts == "calls=5 confirmed=1 cancelled=1 unreachable=1 sms=1"


@pytest.mark.parametrize("name", ["Ann", "Bob", "Carol"])
@pytest.mark.long
async def test_with_a_dead_phone_it_fails(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = Demo()
    watch = demo._watch

    async def kill_and_watch(*args: object) -> None:
        for patient in demo.patients:
            if patient.name == name:
                assert patient.phone
                await patient.phone.kill()
        await watch(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(demo, "_watch", kill_and_watch)
    async with AsyncExitStack() as stack:
        with pytest.raises(DemoFailed, match=name):
            await demo.play(stack)
