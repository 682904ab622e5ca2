"""The first alarm by curl of the README, and what the how-to pages add to it, word for word but for
where, who and whom.
"""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import LOGIN, Plug, Practices
from tests.lab.behaviours import answers_and_presses
from tests.lab.speed import limit

TOP = Path(__file__).parents[2]


def shell_lines(page: str, title: str) -> str:
    """The lines that a section of a page has a newcomer paste."""
    section = (TOP / page).read_text().split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"(?ms)^```sh run\n(.*?)^```$", section)
    assert blocks, f"{page}: {title} has no shell lines"
    return "\n".join(blocks)


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
    script = shell_lines("README.md", "The first alarm by curl")
    script += shell_lines("docs/how-to/appointment-reminders.md", "Tell the clinic about failures")
    script += shell_lines("docs/how-to/webhooks.md", "Add a webhook")
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
        timeout=limit(60),
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
