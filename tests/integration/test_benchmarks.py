"""The commands in benchmarks/ start, say how they are used, and run to their end in tiny size."""

import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks
from tests.lab.postgres import Postgres

FOLDER = Path(benchmarks.__file__).parent
COMMANDS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
MODULES = sorted(path for path in FOLDER.rglob("*.py") if path.name != "__init__.py")


def run(monkeypatch: pytest.MonkeyPatch, command: str, *arguments: str) -> None:
    """Run `python -m benchmarks.COMMAND ARGUMENTS` in this process."""
    monkeypatch.setattr(sys, "argv", [f"{command}.py", *arguments])
    runpy.run_module(f"benchmarks.{command}", run_name="__main__")


@pytest.mark.parametrize("command", COMMANDS)
def test_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, command, "--help")
    assert ended.value.code == 0
    assert f"usage: {command}.py" in capsys.readouterr().out


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_command_says_how_it_is_used_and_imports_no_other(path: Path) -> None:
    tree = ast.parse(path.read_text())
    text = ast.get_docstring(tree) or ""
    assert text, f"{path.name} has no docstring"
    if path.parent.name != "lab":
        module = ".".join(path.relative_to(FOLDER.parent).with_suffix("").parts)
        usages = [line for line in text.splitlines() if line.startswith("Usage: ")]
        assert len(usages) == 1, f"{path.name}: one line of usage, not {len(usages)}"
        assert usages[0].startswith(f"Usage: python -m {module}")
    imported = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None
    }
    assert not imported & {f"benchmarks.{command}" for command in COMMANDS}


def test_the_readme_lists_every_command() -> None:
    text = (FOLDER / "README.md").read_text()
    assert [command for command in COMMANDS if f"`{command}`" not in text] == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_claim(
    kind: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    database = "sqlite"
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        database = server.new_database()
    run(monkeypatch, "claim", "--waiting", "1000", "--rounds", "2", "--database", database)
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["1000"]
    assert all(float(figure) > 0 for line in lines for figure in line.split()[1:])


def test_claim_rate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, "claim_rate", "--waiting", "50", "--due", "10")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["plan", "claim", "raw"] * 2
    assert all("(10)" in line for line in lines), "all that was due was planned and claimed"


def test_recurrence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, "recurrence", "--part", "mixed,forms", "--rules", "34", "--rounds", "1")
    text = capsys.readouterr().out
    assert "34 of 34 answers agree" in text
    assert text.count(" dateutil ") == 1 + 17


def test_peers_are_told_how_to_be_had() -> None:
    argv = [sys.executable, "-m", "benchmarks.claim_peers", "--peers-python", "/no/such/python"]
    done = subprocess.run(argv, cwd=FOLDER.parent, capture_output=True, text=True)
    assert done.returncode == 1
    assert "run benchmarks/peers.sh first" in done.stderr
