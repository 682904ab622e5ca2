"""The log: a line for each event, and no flood."""

import io
import logging

import pytest
import time_machine

from telealarm.log import Repetitions, TextFormatter


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(lines: io.StringIO) -> logging.Logger:
    logger = logging.Logger("lab")
    handler = logging.StreamHandler(lines)
    handler.setFormatter(TextFormatter())
    Repetitions().watch(handler)
    logger.addHandler(handler)
    return logger


def test_a_repeated_error_is_written_some_times_and_then_counted(
    log: logging.Logger, lines: io.StringIO
) -> None:
    with time_machine.travel(1_800_000_000.0, tick=False) as clock:
        for number in range(1000):
            try:
                raise OSError("too many files")
            except OSError:
                log.exception("accept failed for %d", number)
        log.error("another")
        assert lines.getvalue().count("accept failed") == Repetitions.MOST
        assert lines.getvalue().count("another") == 1
        clock.shift(Repetitions.SECONDS + 1)
        log.info("later")
        written = lines.getvalue().splitlines()
        assert written[-2].endswith("ERROR lab 980 more like this: accept failed for 999")
        assert written[-1].endswith("INFO lab later")
        # It may come again.
        log.error("accept failed for %d", 1)
        assert lines.getvalue().endswith("accept failed for 1\n")


def test_what_is_no_warning_is_always_written(log: logging.Logger, lines: io.StringIO) -> None:
    for _ in range(100):
        log.info("answered")
    assert lines.getvalue().count("answered") == 100
