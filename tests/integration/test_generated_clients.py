"""Clients that other people's generators write from the document work against the API."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from telealarm.api.app import RESOURCES, TASKS
from telealarm.api.openapi import document
from telealarm.clock import utcnow
from telealarm.models import Alarm, Gateway, Message, Section, Transfer
from telealarm.store.dialing import workers
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.words import Disposition
from tests.integration.api_client import PASSWORD, Api, clinic, gateways
from tests.integration.stages import HOUR, Stages
from tests.integration.test_api_tenants import all_of_it
from tests.lab.generators import PINS, Generators, generators, run
from tests.lab.speed import limit

pytestmark = pytest.mark.long
# What a client reads does not depend on the database.
served = pytest.mark.parametrize("config", ["sqlite"], indirect=True)

# The recordings: the client has the call, and the bytes, but no type for them.
UNTYPED = "Unsupported content_type audio/x-wav"


STRICT = ("--strict", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom")


@pytest.fixture(scope="session")
def tools() -> Generators:
    return generators()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The document in a file."""
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document.written(RESOURCES, TASKS)))
    return path


def operations() -> list[str]:
    """The names of all calls of the document."""
    paths = document.written(RESOURCES, TASKS)["paths"].values()
    return sorted(
        item[method]["operationId"] for item in paths for method in document.METHODS & item.keys()
    )


def calls_of(package: Path) -> list[str]:
    """The names of the calls that the generated client has."""
    return sorted(path.stem for path in package.glob("api/*/*.py") if path.stem != "__init__")


async def answer(db: Database) -> tuple[Call, Section]:
    """Place the only call that is due, answer it, and press 1 in its survey's only section."""
    stages = Stages(db, await db.write(workers.enter, "one", utcnow(), HOUR))
    (call,) = await stages.claim()
    stages.section = await db.write(Section.get)
    await stages.place(call)
    await stages.end(call, Disposition.ANSWER, cause=16, key="1")
    return call, stages.section


async def everything(api: Api) -> None:
    """At least one row of every resource, with the nulls, dates and words of real ones."""
    made = await all_of_it(api, "manager")
    call, section = await answer(api.db)
    for body in (
        {"retry_policy": {"busy": {"delay": 60, "count": 3}}, "snooze_key": "9"},
        {"method": 3, "alarm_email": "ann@example.com", "language": "es", "timezone": "Asia/Tokyo"},
    ):
        await api.made("alarm/", {"event": made["event"], "alarm_phonenumber": "100", **body})
    series = {"title": "series", "calendar": made["calendar"], "rule": 6, "data": {"a": [1, None]}}
    await api.made(
        "event/", {**series, "start": "2040-01-09 10:00", "exdate": ["2040-01-16 10:00"]}
    )
    await api.post("person/erase/", {"number": "+34600100999", "confirm": True})
    await api.patch(made["calendar-setting"], {"holidays": ["2026-12-25"]})

    def write() -> None:
        alarm, request = call.alarm_id, call.request_id
        owner = Alarm.get_by_id(alarm).owner_id
        Message.create(
            owner=owner, alarm=alarm, request=request, recipient="100", text="Hi", date=utcnow()
        )
        Transfer.create(
            owner=owner,
            call=call.id,
            section=section,
            gateway=Gateway.get(),
            aleg_uuid="t",
            phone_number="101",
            endpoint="PJSIP/101",
        )

    await api.db.write(write)


@served
async def test_openapi_python_client_loses_nothing_and_reads_everything(
    api: Api, tools: Generators, written: Path, tmp_path: Path
) -> None:
    await everything(api)
    said = await run(
        str(tools.python),
        "-m",
        "openapi_python_client",
        "generate",
        "--path",
        str(written),
        "--output-path",
        str(tmp_path / "client"),
        "--meta",
        "none",
    )
    assert calls_of(tmp_path / "client") == operations()
    warnings = [part for part in said.split("WARNING")[1:] if UNTYPED not in part]
    assert warnings == []
    script = str(PINS / "read_everything.py")
    told = json.loads(
        await run(str(tools.python), script, str(tmp_path), api.origin, "root", PASSWORD)
    )
    assert told["different"] == []
    lists = {f"{resource.name}_list".replace("-", "_") for resource in RESOURCES if resource.listed}
    assert {name for name in lists if not told["read"].get(name)} == set()
    assert {status.split()[-1] for status in told["errors"]} == {"400", "401", "403", "404", "409"}
    wrong = [name for name, status in told["errors"].items() if name.split()[-1] != status]
    assert wrong == []


@served
async def test_openapi_generator_goes_from_a_calendar_to_the_answer(
    api: Api, tools: Generators, written: Path, tmp_path: Path
) -> None:
    gateway, _ = await gateways(api)
    await tools.openapi_generator(
        *("generate", "-g", "python", "-i", str(written), "-o", str(tmp_path / "package")),
        *("--package-name", "client", "--global-property", "apis,models,supportingFiles"),
        *("--additional-properties", "generateSourceCodeOnly=true"),
    )
    process = await asyncio.create_subprocess_exec(
        *(str(tools.python), str(PINS / "create_to_result.py"), str(tmp_path / "package")),
        *(api.origin, "manager", PASSWORD, gateway),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(limit(60)):
            alarm = (await process.stdout.readline()).decode().strip()
            if alarm:
                await answer(api.db)
            output, problem = await process.communicate(b"answered\n")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, problem.decode()
    log = await api.get(f"{alarm}timeline/")
    assert log.body["count"] > 5
    assert json.loads(output) == {
        "result": 1,
        "outcome": "confirmed",
        "status": 5,
        "attempts": [5],
        "calls": ["ANSWER"],
        "answered": True,
        "answers": ["1"],
        "timeline": [entry["what"] for entry in log.body["results"]],
        "nested": True,
        "only": "EventAlarm",
        "errors": [400, 401, 403, 404, 409],
        "wrong": ["calendar"],
        "details": [True] * 4,
    }


@served
async def test_orval_compiles_and_runs(
    api: Api, tools: Generators, written: Path, tmp_path: Path
) -> None:
    await clinic(api)
    source = tmp_path / "src"
    variables = {"DOCUMENT": str(written), "FOLDER": str(source), "ORIGIN": api.origin}
    await tools.npm("orval", "--config", str(PINS / "orval.config.cjs"), env=variables)
    shutil.copy(PINS / "flow.ts", source)
    (tmp_path / "package.json").write_text('{"type": "commonjs"}')
    (tmp_path / "node_modules").symlink_to(tools.folder / "node_modules")
    files = [str(source / f"{name}.ts") for name in ("api", "axios", "zod", "flow")]
    output = ("--module", "commonjs", "--outDir", str(tmp_path / "out"))
    await tools.npm("tsc", *STRICT, *output, *files)
    said = await run(str(tools.node), str(tmp_path / "out" / "flow.js"), "manager", PASSWORD)
    assert json.loads(said) == {
        "status": 200,
        "maxretry": 2,
        "language": None,
        "listed": 1,
        "timeline": ["created"],
        "only": "+34600100200",
        "forbidden": "You do not have permission to perform this action.",
        "missing": 404,
        "wrong": ["title", "calendar"],
    }


async def test_openapi_typescript_compiles(
    tools: Generators, written: Path, tmp_path: Path
) -> None:
    await tools.npm("openapi-typescript", str(written), "-o", str(tmp_path / "paths.d.ts"))
    shutil.copy(PINS / "usage.ts", tmp_path)
    (tmp_path / "node_modules").symlink_to(tools.folder / "node_modules")
    await tools.npm(
        "tsc",
        *STRICT,
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        "--noEmit",
        str(tmp_path / "usage.ts"),
        str(tmp_path / "paths.d.ts"),
    )


async def test_the_linters_find_nothing(tools: Generators, written: Path) -> None:
    rules = ("--ruleset", str(PINS / "spectral.yml"), "--fail-severity", "hint")
    await tools.npm("spectral", "lint", str(written), *rules)
    said = await tools.npm(
        "redocly",
        "lint",
        str(written),
        "--config",
        str(PINS / "redocly.yml"),
        env={"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
    )
    assert "warning" not in said, said
