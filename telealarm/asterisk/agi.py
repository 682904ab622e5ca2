"""FastAGI through panoramisk: the dialplan asks, and channel variables are the answer.

panoramisk's own reader waits for ever for a peer that connects and sends nothing. So this module
reads the request itself, with limits on time and size. It uses panoramisk for commands only.
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

# Time limits (seconds) to read a request and to answer it.
READ_SECONDS, ANSWER_SECONDS = 5.0, 10.0
# The longest request in bytes, and how many requests may be open at a time.
LONGEST, MOST = 8192, 50
# Characters that a variable must not hold: a dialplan can never read its value as an expression.
_UNSAFE = re.compile(r"[^\w .,:;!?'/+@-]")
_LONGEST_VALUE = 200
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,39}")


class AgiError(TeleAlarmError):
    """Asterisk's request is malformed, or the caller hung up meanwhile."""

    code = "agi"


@dataclass(frozen=True)
class Question:
    """A request: `agi://host/script,argument,...`.

    `caller` is the caller id (empty: withheld). `variables` are those read from the channel.
    """

    script: str
    arguments: tuple[str, ...]
    caller: str
    variables: Mapping[str, str]


Answer = Callable[[Question], Awaitable[Mapping[str, str]]]


class Agi:
    """Answers each request with the channel variables that `answer` returns for it.

    `asks` names the channel variables to read first.
    """

    def __init__(self, host: str, port: int, answer: Answer, *, asks: tuple[str, ...]) -> None:
        self._host, self._port = host, port
        self._answer = answer
        self._asks = asks
        self._server: asyncio.Server | None = None
        self._open = 0
        # True after a connection was refused because too many were open.
        self._full = False

    async def start(self) -> None:
        """Listen for requests. Raises OSError if the port is taken."""
        self._server = await asyncio.start_server(
            self._handle, self._host, self._port, limit=LONGEST
        )

    async def stop(self) -> None:
        """Stop listening. Open requests end within their own time limit."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= MOST:
            if not self._full:
                log.warning("FastAGI requests are refused: %d are open already", MOST)
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
            # panoramisk raises ValueError if the caller hangs up during a request.
            log.info("a FastAGI request failed: %s", error or "too slow")
        except Exception:
            log.exception("a FastAGI request could not be answered")
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
        values = await self._answer(Question(script, tuple(arguments), caller, asked))
        for name, value in values.items():
            await _set(request, name, value)


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    """Read the headers up to the empty line.

    Raises IncompleteReadError if the peer closes before it. Asterisk writes each header once. A
    second one comes from a line break in an argument or a caller's name: it could fake a caller.
    """
    try:
        block = await reader.readuntil(b"\n\n")
    except asyncio.LimitOverrunError:
        raise AgiError(f"the question is longer than {LONGEST} bytes") from None
    headers: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").strip("\n").split("\n"):
        name, colon, value = line.partition(": ")
        if not (colon and name.startswith("agi_")) or name in headers:
            raise AgiError(f"{line[:40]!r} is no header, or a repeated header")
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


def _result(response: Mapping[str, object]) -> object:
    """Return Asterisk's answer. Raises AgiError if Asterisk refuses or the caller hung up."""
    if response.get("error") or response.get("status_code") != 200:
        raise AgiError(f"Asterisk says {response.get('msg') or response}")
    return response["result"]
