"""The commands in benchmarks/ start, say how they are used, and run to their end in tiny size."""

import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks
from benchmarks.lab import kept_runs
from benchmarks.lab.goals import BY_FIGURE, ROWS
from benchmarks.lab.kept_runs import BEGIN, END, KeptRun
from tests.lab.postgres import Postgres

FOLDER = Path(benchmarks.__file__).parent
COMMANDS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
# Those which explain a figure, or are a part of another command.
WITHOUT_GOAL = {
    "answer",
    "bare_loop",
    "calibrate",
    "claim_statements",
    "claim_subquery",
    "kill_matrix",
    "profile_calls",
    "search",
    "table",
}
MODULES = sorted(path for path in FOLDER.rglob("*.py") if path.name != "__init__.py")


def run(monkeypatch: pytest.MonkeyPatch, command: str, *arguments: str) -> None:
    """Run `python -m benchmarks.COMMAND ARGUMENTS` in this process."""
    monkeypatch.setattr(sys, "argv", [f"{command}.py", *arguments])
    monkeypatch.delitem(sys.modules, f"benchmarks.{command}", raising=False)  # table's import
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


def test_one_command_has_all_that_have_a_goal() -> None:
    tree = ast.parse((FOLDER / "table.py").read_text())
    (imported,) = [
        {name.name for name in node.names}
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "benchmarks"
    ]
    assert imported == set(COMMANDS) - WITHOUT_GOAL


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
    options = ("--waiting", "1000", "--rounds", "1", "--claims", "2", "--database", database)
    run(monkeypatch, "claim", *options)
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


def test_the_table_is_measured_kept_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "run.json"
    run(monkeypatch, "table", "--quick", "--rows", "recurrence,lists", "--json", str(kept))
    printed = capsys.readouterr().out
    assert "failed" not in printed
    figures = [row.figure for row in ROWS if row.part in ("recurrence", "lists")]
    assert [line.split(" | ")[0] for line in printed.splitlines() if line.startswith("| ")][1:] == [
        f"| {figure}" for figure in figures
    ]
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    kept_runs.write_docs([kept_runs.read(kept)] * 2, page)
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert all(f"| {figure} | 2 |" in text for figure in figures)


def test_a_part_that_fails_is_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(tmp_path / "python")
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "table", "--quick", "--rows", "claims", "--peers-python", nowhere)
    assert ended.value.code == 1
    printed = capsys.readouterr().out
    assert "/ procrastinate | failed | at least 5 | - |" in printed
    assert "run benchmarks/peers.sh first" in printed


def test_the_spread_of_some_runs_has_their_median_and_who_reached_the_goal() -> None:
    figure = "start to ready, s"
    runs = [
        KeptRun("a machine", started=f"2026-12-0{day}T07:00:00+00:00", figures={figure: seconds})
        for day, seconds in ((1, 0.8), (2, 1.2), (3, 0.9))
    ]
    text = kept_runs.spread(runs)
    assert "Measured on 2026-12-01 to 2026-12-03: a machine." in text
    assert f"| {figure} | 3 | 0.9 | 0.8 to 1.2 | at most 1 | 2 of 3 |" in text


def test_a_figure_may_be_reached_by_another_in_its_place() -> None:
    row = BY_FIGURE["Asterisk's CPU a call / `bare`"]
    assert row.verdict({row.figure: 1.5}) == "no"
    assert row.verdict({row.figure: 1.5, row.instead: 1.05}) == "yes"
    assert row.verdict({}) == "-"
