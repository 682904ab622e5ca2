"""The command line answers at once: its help needs none of the libraries that take long to load."""

import subprocess
import sys

SLOW = {"aiohttp", "argon2", "asyncio", "peewee", "phonenumbers", "pydantic", "yaml"}


def test_the_parser_is_there_before_anything_slow_is_loaded() -> None:
    code = (
        "import sys; from telealarm.cli.main import parser; parser().format_help();"
        " print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not SLOW & set(result.stdout.split())
