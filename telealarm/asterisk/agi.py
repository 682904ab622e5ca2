"""FastAGI by panoramisk: questions of the dialplan, answered by channel variables.

panoramisk's own reader waits for ever on a peer that connects and closes, so the question is read
here, within a time and a size; its commands are used, each within a time limit.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from panoramisk.fast_agi import Request

from telealarm.errors import TeleAlarmError

log = logging.getLogger(__name__)

# Of a question, and of the answer to it, in seconds.
READ_SECONDS, ANSWER_SECONDS = 5.0, 10.0
# The longest question in bytes, and how many are dealt with at a time.
LONGEST, MOST = 8192, 50
# What a variable may hold, so that whatever a dialplan does with it, it is no expression.
_UNSAFE = re.compile(r"[^\w .,:;!?'/+@-]")
_LONGEST_VALUE = 200
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,39}")


class AgiError(TeleAlarmError):
    """Asterisk asked in a way that nobody understands, or hung up meanwhile."""

    code = "agi"


@dataclass(frozen=True)
class Question:
    """`agi://host/script,argument,...`, the caller id (empty: withheld), and the variables that
    were asked of the channel.
    """

    script: str
    arguments: tuple[str, ...]
    caller: str
    variables: Mapping[str, str]


Answer = Callable[[Question], Awaitable[Mapping[str, str]]]


class Agi:
    """Answers with the variables that `answer` says, of a question with the channel's `asks`."""

    def __init__(self, host: str, port: int, answer: Answer, *, asks: tuple[str, ...]) -> None:
        self._host, self._port = host, port
        self._answer = answer
        self._asks = asks
        self._server: asyncio.Server | None = None
        self._open = 0
        # Whoever came last was turned away.
        self._full = False

    async def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(self._meet, self._host, self._port, limit=LONGEST)

    async def stop(self) -> None:
        """Listen no more; what is being answered has its own time limit."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= MOST:
            if not self._full:
                log.warning("questions by FastAGI are turned away: %d are being answered", MOST)
            self._full = True
            writer.close()
            return
        self._open += 1
        self._full = False
        try:
            async with asyncio.timeout(READ_SECONDS):
                headers = await _headers(reader)
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._serve(Request(None, headers, reader, writer))
        except (AgiError, OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            # A hang-up in the middle of it is a ValueError of panoramisk's.
            log.info("a question by FastAGI came to nothing: %s", error or "too slow")
        except Exception:
            log.exception("a question by FastAGI cannot be answered")
        finally:
            self._open -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, request: Request) -> None:
        headers = request.headers
        script, *arguments = headers.get("agi_network_script", "").split(",")
        number = 1
        while (argument := headers.get(f"agi_arg_{number}")) is not None:
            arguments.append(argument)
            number += 1
        asked = {name: await _get(request, name) for name in self._asks}
        caller = headers.get("agi_callerid", "")
        said = await self._answer(Question(script, tuple(arguments), caller, asked))
        for name, value in said.items():
            await _set(request, name, value)


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    """Up to the empty line. Raises IncompleteReadError where the peer closes before it.

    Asterisk writes each header once. A second one came with a line break in an argument or a
    caller's name, and would pass for another caller.
    """
    try:
        block = await reader.readuntil(b"\n\n")
    except asyncio.LimitOverrunError:
        raise AgiError(f"the question is longer than {LONGEST} bytes") from None
    headers: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").strip("\n").split("\n"):
        name, colon, value = line.partition(": ")
        if not (colon and name.startswith("agi_")) or name in headers:
            raise AgiError(f"{line[:40]!r} is no header, or its second one")
        headers[name] = value
    return headers


async def _get(request: Request, name: str) -> str:
    result = _result(await request.send_command(f"GET VARIABLE {name}"))
    return str(result[1]) if isinstance(result, tuple) and result[0] == "1" else ""


async def _set(request: Request, name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise AgiError(f"{name!r} is no name for a variable")
    safe = _UNSAFE.sub("", value)[:_LONGEST_VALUE]
    _result(await request.send_command(f'SET VARIABLE {name} "{safe}"'))


def _result(said: Mapping[str, object]) -> object:
    """What Asterisk answers. Raises AgiError where it refuses, or the caller has hung up."""
    if said.get("error") or said.get("status_code") != 200:
        raise AgiError(f"Asterisk says {said.get('msg') or said}")
    return said["result"]
