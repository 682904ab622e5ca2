"""The README's first alarm by curl, word for word but for where, who and whom."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import LOGIN, Plug, Practices
from tests.lab.behaviours import answers_and_presses

README = Path(__file__).parents[2] / "README.md"


def shell_lines(title: str) -> str:
    """The indented lines of a section, as a newcomer would paste them."""
    section = README.read_text().split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    return "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))


def objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in what curl printed, one after the other."""
    at = text.find("{")
    while at >= 0:
        found, end = json.JSONDecoder().raw_decode(text, at)
        yield found
        at = text.find("{", end)


async def test_the_first_alarm_rings_and_its_answer_is_shown(
    practices: Practices, plug: Plug
) -> None:
    practice = await practices()
    phone = await plug("15550101", answers_and_presses("1", first_key=2.0))
    script = shell_lines("The first alarm by curl")
    for name, value in (
        ("API", f"{practice.serve.url}/rest-api"),
        ("LOGIN", f"'{LOGIN[0]}:{LOGIN[1]}'"),
    ):
        script, changed = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", script)
        assert changed == 1
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-eu"],
        input=script + '\necho "ALARM $ALARM"\n',
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    replies = list(objects(done.stdout))
    assert len(replies) == 17
    assert all("url" in reply or "results" in reply or "event-url" in reply for reply in replies)
    alarm = done.stdout.rsplit("ALARM ", 1)[1].strip()
    await phone.until("hung up by network")
    answer = await practice.clinic.rest.get(alarm)
    assert answer["phonenumber_sms_failure"] == "15550199"
    assert answer["result"] == 1
