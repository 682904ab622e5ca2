"""What whoever comes next finds first: hooks, the build server's script, the help of make."""

import re
from pathlib import Path
from typing import Any

import yaml

import telealarm

REPOSITORY = Path(__file__).parents[2]
MAKEFILE = (REPOSITORY / "Makefile").read_text()


def test_hooks_are_local_and_are_what_make_lint_runs() -> None:
    repos: list[dict[str, Any]] = yaml.safe_load(
        (REPOSITORY / ".pre-commit-config.yaml").read_text()
    )["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    entries = {hook["entry"].replace(".venv/bin/", "$(BIN)/") for hook in repos[0]["hooks"]}
    lint = MAKEFILE.split("\nlint:")[1].split("\n\n")[0]
    for command in ("$(BIN)/ruff check", "$(BIN)/ruff format --check", "$(BIN)/mypy"):
        assert command in entries
        assert command in lint


def test_the_build_server_runs_the_script_that_everybody_runs() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text())
    (job,) = workflow["jobs"].values()
    assert job["container"]["image"].startswith("debian:")
    assert job["steps"][-1]["run"] == "bash .ci/run"
    script = (REPOSITORY / ".ci/run").read_text().splitlines()
    assert [line for line in script if line.startswith("make ")] == ["make test", "make test-long"]


def test_make_help_names_every_target() -> None:
    targets = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split()
    helped = re.findall(r'@echo "make ([a-z-]+)', MAKEFILE)
    assert set(helped) == set(targets) - {"help"}


def test_version_is_one() -> None:
    assert f'version="{telealarm.__version__}"' in (REPOSITORY / "setup.py").read_text()
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    assert re.findall(r"^## \[?([0-9.]+)", changelog, re.MULTILINE)[0] == telealarm.__version__


def test_commits_that_blame_skips_are_in_the_history() -> None:
    lines = (REPOSITORY / ".git-blame-ignore-revs").read_text().splitlines()
    assert any(re.fullmatch(r"[0-9a-f]{40}", line) for line in lines)
