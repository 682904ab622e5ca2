"""The service starts soon and stays small: what it does not need at the start is not loaded."""

import subprocess
import sys

# Libraries and parts of our own, and who loads them: a PostgreSQL, a mail with a calendar file, a
# secret in the database, a mail, a calendar file that is read, whoever asks for the document.
LATER = {
    "psycopg",
    "icalendar",
    "cryptography",
    "aiosmtplib",
    "dateutil.rrule",
    "telealarm.importing",
    "telealarm.api.openapi",
}


def loaded(code: str) -> set[str]:
    """Return the modules that are there after the code has run."""
    show = "import sys; print(*(name for name, module in sys.modules.items() if module))"
    argv = [sys.executable, "-c", f"{code}\n{show}"]
    result = subprocess.run(argv, capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def start(database: str) -> str:
    return (
        "from telealarm.cli import serve; from telealarm.config.model import Config;"
        f" serve.leave_out_drivers(Config(database={database!r})); import telealarm.service"
    )


def test_what_is_needed_later_is_not_loaded_at_the_start() -> None:
    names = loaded(start("sqlite:///x.db"))
    assert "telealarm.service" in names
    assert not LATER & names


def test_the_driver_is_there_for_postgresql() -> None:
    assert "psycopg" in loaded(start("postgresql://user:password@host/name"))
