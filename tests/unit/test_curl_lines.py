"""The curl lines of the pages can be pasted as they stand, into any shell.

An address without quotes is taken apart by a shell at `&` and `?`. Curl itself refuses a blank in
an address, and takes `{a,b}` and `[1-3]` in it for several addresses.
"""

import re
from collections.abc import Iterator

import pytest

from docs._generate.blocks import blocks, pages

_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_ADDRESS = re.compile(r"""["'](?:https?:|\$\{?[A-Z_]+\}?)[^"']*["']""")
# What the shell puts in.
_PUT_IN = re.compile(r"\$\([^)]*\)|\$\{?\w+\}?")


def curls(text: str) -> Iterator[str]:
    """Each curl command of a block, to the end of the command."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.findall(r"\bcurl .*", line):
            yield re.split(r"\s\||;|&&|\)$", _hide(part))[0]


def _hide(line: str) -> str:
    """The line with its substitutions `$(...)` as one word, so that they end no command."""
    return re.sub(r"\$\([^)]*\)", "${SUBSTITUTED}", line)


def faults(command: str) -> list[str]:
    """What keeps a curl command from being pasted."""
    found = []
    bare = _QUOTED.sub("Q", command)
    if re.search(r" (?:https?:|\$\{?[A-Z])", bare):
        found.append("an address stands outside of quotes")
    for address in _ADDRESS.findall(command):
        plain = _PUT_IN.sub("", address)
        if re.search(r"\s", plain):
            found.append(f"a blank in {address}: use -G and --data-urlencode")
        if re.search(r"[{}\[\]<>]", plain):
            found.append(f"{address} is not an address: name a variable")
    return found


def every_curl() -> list[tuple[str, str]]:
    return [
        (block.place, command)
        for page in pages()
        for block in blocks(page)
        if block.words.startswith("sh")
        for command in curls(block.text)
    ]


def test_each_curl_line_of_the_pages_can_be_pasted() -> None:
    lines = every_curl()
    assert len(lines) > 30
    assert [
        f"{place}: {command}: {fault}" for place, command in lines for fault in faults(command)
    ] == []


@pytest.mark.parametrize(
    "command",
    [
        "curl -s $API/alarm/?status=1&page=2",
        'curl -s "$API/alarm/{id}/timeline/"',
        'curl -s "$API/event/?start__gte=2030-01-02 00:00"',
        "curl -s http://127.0.0.1:8000/healthz",
        'curl -s "http://127.0.0.1:8000/rest-api/event/[1-3]/"',
    ],
)
def test_what_cannot_be_pasted_is_found(command: str) -> None:
    assert len(faults(next(curls(command)))) == 1


@pytest.mark.parametrize(
    "command",
    [
        'curl -s -u "$LOGIN" "${ALARM}timeline/"',
        'curl -s "$API/alarm-request/$(basename $EVENT)/get_nested_alarm_request/"',
        """curl -X POST --data '{"alarm": 1}' "$API/alarm-request/\"""",
        'curl -G "$API/alarm/" --data-urlencode "event_start__gte=2030-01-02 00:00"',
        """curl -u admin:'a long password' "http://127.0.0.1:8000/readyz\"""",
    ],
)
def test_what_can_be_pasted_is_left_alone(command: str) -> None:
    assert faults(next(curls(command))) == []
