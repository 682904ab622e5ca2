"""FastAGI as Asterisk speaks it, by a socket: what is asked, and what breaks off."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import pytest

from telealarm.asterisk import agi
from telealarm.asterisk.agi import Agi, Question
from tests.lab.ports import HOST, free_tcp_port
from tests.lab.speed import limit


class Asked:
    """What was asked, and what is answered."""

    def __init__(self, said: Mapping[str, str]) -> None:
        self.questions: list[Question] = []
        self.said = said

    async def __call__(self, question: Question) -> Mapping[str, str]:
        self.questions.append(question)
        return self.said


@asynccontextmanager
async def served(asked: Asked) -> AsyncIterator[int]:
    port = free_tcp_port()
    server = Agi(HOST, port, asked, asks=("TELEALARM_CALENDAR",))
    await server.start()
    try:
        yield port
    finally:
        await server.stop()


async def ask(port: int, *headers: str, replies: Mapping[str, str] | None = None) -> list[str]:
    """The commands that come for a question; each is answered `200 result=1` or by `replies`."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(("\n".join(headers) + "\n\n").encode())
    commands = []
    while line := (await asyncio.wait_for(reader.readline(), limit(10))).decode().strip():
        commands.append(line)
        found = [said for begins, said in (replies or {}).items() if line.startswith(begins)]
        writer.write(f"{found[0] if found else '200 result=1'}\n".encode())
    writer.close()
    return commands


QUESTION = (
    "agi_network_script: wakeup",
    "agi_callerid: 105",
    "agi_arg_1: 0730",
    "agi_arg_2: daily",
)


async def test_a_question_is_answered_by_variables() -> None:
    asked = Asked({"TELEALARM_STATUS": "ok"})
    async with served(asked) as port:
        commands = await ask(port, *QUESTION, replies={"GET": "200 result=1 (5)"})
    assert commands == ["GET VARIABLE TELEALARM_CALENDAR", 'SET VARIABLE TELEALARM_STATUS "ok"']
    wanted = Question("wakeup", ("0730", "daily"), "105", {"TELEALARM_CALENDAR": "5"})
    assert asked.questions == [wanted]


async def test_what_is_set_is_no_command_and_no_expression() -> None:
    title = "Dr. O'Neill \"\n\rHANGUP\n${SHELL(id)} $[1+1] \\ \x00\x1b ñ"
    asked = Asked({"TELEALARM_TITLE": title * 20})
    async with served(asked) as port:
        commands = await ask(port, *QUESTION)
    (said,) = [line for line in commands if line.startswith("SET")]
    assert said.startswith("SET VARIABLE TELEALARM_TITLE \"Dr. O'Neill HANGUPSHELLid 1+1  ")
    assert not set(said.partition('"')[2][:-1]) & set('"$\\{}[]()')
    assert len(said) < 300


async def test_who_connects_and_closes_or_says_nothing_stops_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agi, "READ_SECONDS", limit(0.5))
    asked = Asked({"TELEALARM_STATUS": "ok"})
    async with served(asked) as port:
        strange = (
            b"",
            b"agi_network_script: due\n",
            b"\x00" * 20_000,
            b"agi_arg_1: " + b"9" * 100_000 + b"\n\n",
            b"\r\n\r\n" * 100,
            b"GET / HTTP/1.1\r\nHost: x\r\n\n\n",
            bytes(range(256)) + b"\n\n",
            b"\n\n",
        )
        for said in strange:
            _, writer = await asyncio.open_connection(HOST, port)
            writer.write(said)
            writer.close()
        reader, silent = await asyncio.open_connection(HOST, port)
        assert len(await ask(port, *QUESTION)) == 2
        assert await asyncio.wait_for(reader.read(), limit(10)) == b"", "the silent one is let go"
        silent.close()
    assert len(asked.questions) == 1


@pytest.mark.parametrize("name", ["agi_arg_1: 1", "agi_calleridname: Ann", "agi_rdnis: 1"])
async def test_a_line_break_in_what_a_caller_sent_makes_nobody_else_of_them(name: str) -> None:
    asked = Asked({"TELEALARM_STATUS": "ok"})
    async with served(asked) as port:
        for more in ("agi_callerid: 106", "106", "agi_arg_1"):
            assert await ask(port, *QUESTION[:2], f"{name}\n{more}", "agi_context: x") == []
    assert [question.caller for question in asked.questions] in ([], ["105"])


async def test_control_characters_break_no_line() -> None:
    asked = Asked({"TELEALARM_STATUS": "ok"})
    strange = "1\r\x0b\x0c\x1c\x85\u2028agi_callerid: 106"
    async with served(asked) as port:
        assert len(await ask(port, *QUESTION[:2], f"agi_arg_1: {strange}")) == 2
    (question,) = asked.questions
    assert (question.caller, question.arguments) == ("105", (strange,))


async def ended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The server lets this connection go."""
    with suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), limit(20)) == b""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_a_crowd_that_says_nothing_stops_nobody_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agi, "READ_SECONDS", limit(0.5))
    async with served(Asked({"TELEALARM_STATUS": "ok"})) as port:
        for _ in range(4):
            crowd = [await asyncio.open_connection(HOST, port) for _ in range(250)]
            await asyncio.gather(*(ended(*one) for one in crowd))
        assert len(await ask(port, *QUESTION)) == 2


@pytest.mark.long
async def test_who_is_slow_is_heard_out_and_who_never_ends_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = limit(2)
    monkeypatch.setattr(agi, "READ_SECONDS", seconds)
    async with served(Asked({"TELEALARM_STATUS": "ok"})) as port:
        reader, writer = await asyncio.open_connection(HOST, port)
        for letter in "agi_network_script: due\n\n":
            writer.write(letter.encode())
            await asyncio.sleep(0.002)
        assert (await asyncio.wait_for(reader.readline(), 10 * seconds)).startswith(b"GET VARIABLE")
        writer.close()
        await writer.wait_closed()
        reader, writer = await asyncio.open_connection(HOST, port)
        async with asyncio.timeout(10 * seconds):
            while not reader.at_eof():
                writer.write(b"a")
                await asyncio.sleep(0.05)
        await ended(reader, writer)


async def test_a_hangup_in_the_middle_ends_that_question_only() -> None:
    asked = Asked({"TELEALARM_STATUS": "ok"})
    async with served(asked) as port:
        assert len(await ask(port, *QUESTION, replies={"GET": "HANGUP"})) == 1
        assert len(await ask(port, *QUESTION, replies={"GET": "511 Command Not Permitted"})) == 1
        assert len(await ask(port, *QUESTION)) == 2


async def test_no_more_than_so_many_are_answered_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agi, "MOST", 2)
    async with served(Asked({})) as port:
        held = [await asyncio.open_connection(HOST, port) for _ in range(2)]
        reader, writer = await asyncio.open_connection(HOST, port)
        assert await asyncio.wait_for(reader.read(), limit(10)) == b""
        for _, one in [*held, (reader, writer)]:
            one.close()
