"""The `sh run` blocks of a page do what the page says: on a real Asterisk, word for word.

docs/writing.md tells the rules. Each page gets a TeleAlarm with a new database, an SMS gateway and
the phones that its front matter names; its blocks run one after the other in one bash.
"""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from docs._generate.blocks import Block, blocks, front_matter, pages
from tests.acceptance.conftest import Plug
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import Behaviour
from tests.lab.serve import Serve
from tests.lab.sms_gateway import SmsGateway
from tests.lab.waiting import until

# A service and phones for each page take minutes.
pytestmark = pytest.mark.long

RUN = ("sh run", "python run")
LOGIN = ("admin", "a long password")
PHONES = {"15550101": {"keys": "1", "first_key": 2.0}}
# A limit for what hangs, not a measure of what is quick.
SECONDS = 600
# A reply of 400 or above fails the page; curl refuses our option beside -f, which says the same.
CURL = """\
for word; do case $word in --*) ;; -*f*) exec /usr/bin/curl --max-time 60 "$@" ;; esac; done
exec /usr/bin/curl --fail-with-body --max-time 60 "$@"
"""
# Beside what the reader has: a command to wait with, and which block it was that failed.
PROLOGUE = """\
set -eu -o pipefail
trap 'status=$?; [ $status = 0 ] || echo "failed: $BLOCK" >&2' EXIT
eventually() {
  local end=$((SECONDS + 120))
  until "$@"; do
    [ $SECONDS -lt $end ] || { echo "never came true: $*" >&2; return 1; }
    sleep 0.2
  done
}
"""


def runnable() -> list[Path]:
    return [page for page in pages() if any(block.words in RUN for block in blocks(page))]


def written(page: Path, folder: Path) -> tuple[str, list[Block]]:
    """The script of a page, and its blocks that run; it prints a line with a number before each."""
    parts = [PROLOGUE]
    ran = [block for block in blocks(page) if block.words in RUN]
    for number, block in enumerate(ran):
        parts.append(f"BLOCK={block.place}\nprintf '\\n@block {number}@\\n'\n")
        if block.words == "python run":
            name = f"block_{number}.py"
            (folder / name).write_text(block.text)
            parts.append(f"python3 {name}\n")
        else:
            parts.append(block.text)
    return "".join(parts), ran


def commands(folder: Path) -> Path:
    """The folder of the commands that are ours: telealarm, python3, a curl that sees refusals."""
    programs = folder / "bin"
    programs.mkdir()
    for name, line in (
        ("telealarm", f'exec "{sys.executable}" -m telealarm "$@"'),
        ("python3", f'exec "{sys.executable}" "$@"'),
        ("curl", CURL),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    return programs


def like(expected: str, printed: str) -> bool:
    """Whether a block printed what the page shows; `...` stands for any text, or any lines."""
    pattern = re.escape(expected.strip()).replace(re.escape("..."), ".*?")
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def shown(page: Path, ran: list[Block]) -> dict[int, Block]:
    """The `text output` blocks of a page, by the number of the block that prints them."""
    result = {}
    number = -1
    for block in blocks(page):
        if block.words in RUN:
            number += 1
        elif block.words == "text output":
            result[number] = block
    assert number + 1 == len(ran)
    return result


async def ready(serve: Serve) -> None:
    """Return when the service can do its work, as it can for the reader who comes later."""
    async with aiohttp.ClientSession() as http:

        async def is_ready() -> bool:
            async with http.get(f"{serve.url}/readyz") as reply:
                return reply.status == 200

        await until(is_ready, 30, "the service is ready")


@pytest.mark.parametrize("page", runnable(), ids=lambda page: page.stem)
async def test_the_blocks_of_a_page_run(
    page: Path, asterisk: Asterisk, plug: Plug, sms_gateway: SmsGateway, tmp_path: Path
) -> None:
    lab: dict[str, Any] = front_matter(page).get("lab", {})
    for number, does in lab.get("phones", PHONES).items():
        await plug(str(number), Behaviour(**does))
    serve = Serve(asterisk, settings=lab.get("settings"))
    try:
        await serve.user_add(*LOGIN)
        await serve.start()
        await ready(serve)
        script, ran = written(page, tmp_path)
        script = script.replace("http://127.0.0.1:8000", serve.url)
        script = script.replace("http://127.0.0.1:9000", sms_gateway.url.removesuffix("/send"))
        programs = commands(tmp_path)
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-c", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=tmp_path,
            env={
                **os.environ,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "HOME": str(tmp_path),
                "TELEALARM_CONFIG": str(serve.config),
                "PYTHONPATH": str(Path(__file__).parents[2]),
            },
        )
        log = f"{done.stdout[-3000:]}\n{done.stderr[-2000:]}\n{serve.tail(15)}"
        assert done.returncode == 0, log
        printed = re.split(r"\n@block \d+@\n", done.stdout)[1:]
        assert len(printed) == len(ran), log
        for number, block in shown(page, ran).items():
            assert like(block.text, printed[number]), (
                f"{block.place}: the block before it printed\n{printed[number]}"
            )
    finally:
        await serve.stop()


def test_what_a_block_prints_is_compared() -> None:
    assert like("a\n...\nb c\n", "a\n1\n2\nb c\n")
    assert like('"id": ...,', '"id": 5,\n')
    assert not like("a\nb\n", "a\nc\n")
    assert not like("a\n", "a\nb\n")
