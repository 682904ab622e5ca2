"""Logins and pauses by the command line, on each kind of database."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from telealarm.config.model import Config
from telealarm.models import Gateway, SurveyTemplate, User
from telealarm.store.open import open_database
from tests.integration.test_cli import telealarm


@pytest.fixture
def command(config: Config, tmp_path: Path) -> Any:
    """`command("user", "list")` on a database of its own: exit status, standard output, error."""
    path = tmp_path / "telealarm.yml"
    # A copy, because the file of the erasures lies beside the key.
    key = shutil.copy2(config.key_path, tmp_path / "own.key")
    parts = {
        "database": config.database,
        "key_file": str(key),
        "asterisk": {"ari": {"password": "x"}},
    }
    path.write_text(yaml.safe_dump(parts))

    def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        done = telealarm(*words, "--config", str(path), stdin=stdin)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_login_from_its_beginning_to_its_end(command: Any, config: Config) -> None:
    db = open_database(config)
    stdin = {"stdin": "a long secret\n"}
    assert command("user", "add", "ann", "--superuser", "--password-stdin", **stdin)[0] == 0
    assert command("user", "add", "bob", "--password-stdin", **stdin)[0] == 0

    def hash_of(name: str) -> str:
        return db.run(lambda: User.get(User.username == name).password_hash)

    before = hash_of("bob")
    assert command("user", "password", "bob", "--password-stdin", stdin="another secret\n") == (
        0,
        "bob has a new password\n",
        "",
    )
    assert hash_of("bob") != before
    assert command("user", "disable", "bob")[:2] == (0, "bob disabled\n")
    status, listed, _ = command("user", "list")
    rows = [line.split("\t") for line in listed.splitlines()]
    assert (status, rows[0]) == (0, ["id", "name", "kind", "active", "created"])
    assert [row[1:4] for row in rows[1:]] == [["ann", "superuser", "yes"], ["bob", "manager", "no"]]
    assert "argon2" not in listed
    assert command("user", "enable", "bob")[:2] == (0, "bob enabled\n")
    assert command("user", "remove", "bob")[:2] == (0, "bob removed\n")
    assert "bob" not in command("user", "list")[1]


def test_what_cannot_be_done_to_a_login_says_what_can(command: Any, config: Config) -> None:
    command("user", "add", "ann", "--password-stdin", stdin="a long secret\n")
    status, _, said = command("user", "password", "ann", "--password-stdin", stdin="\n")
    assert (status, "empty" in said) == (1, True)
    for words in (("password", "ann"), ("add", "bob")):
        status, _, said = command("user", *words, "--password-stdin", stdin="1234567\n")
        assert (status, "must have at least 8 characters" in said) == (1, True)
    for words in (("disable", "bob"), ("remove", "bob"), ("password", "bob", "--password-stdin")):
        status, _, said = command("user", *words, stdin="x\n")
        assert (status, "there is no user 'bob'" in said) == (1, True)
    db = open_database(config)
    db.run(_owns_a_survey, "ann")
    status, _, said = command("user", "remove", "ann")
    assert status == 1
    assert "survey template" in said
    assert "telealarm user disable ann" in said


def _owns_a_survey(name: str) -> None:
    SurveyTemplate.create(owner=User.get(User.username == name), name="s")


def test_dialing_is_paused_and_resumed(command: Any, config: Config) -> None:
    db = open_database(config)
    db.run(Gateway.create, name="main trunk", gateways="PJSIP/{number}@trunk")
    status, said, _ = command("dialing", "pause", "--gateway", "main trunk")
    assert (status, said.startswith("gateway main trunk is paused since ")) == (0, True)
    status, said, _ = command("dialing", "pause")
    assert [line.split(" since")[0] for line in said.splitlines()] == [
        "dialing is paused",
        "gateway main trunk is paused",
    ]
    status, said, _ = command("dialing", "resume")
    assert [line.split(" since")[0] for line in said.splitlines()] == [
        "gateway main trunk is paused"
    ]
    assert command("dialing", "resume", "--gateway", "main trunk") == (0, "dialing goes on\n", "")
    status, _, said = command("dialing", "pause", "--gateway", "nobody's")
    assert (status, "there is no gateway" in said) == (1, True)


@pytest.mark.parametrize(("flags", "revoked"), [((), True), (("--keep-tokens",), False)])
def test_a_new_password_revokes_the_tokens_unless_they_are_kept(
    command: Any, config: Config, flags: tuple[str, ...], revoked: bool
) -> None:
    command("user", "add", "ann", "--password-stdin", stdin="a long secret\n")
    command("user", "add", "bob", "--password-stdin", stdin="a long secret\n")
    for name in ("ann", "bob"):
        assert command("token", "add", name, "--name", "program")[0] == 0
    status, said, _ = command(
        "user", "password", "ann", *flags, "--password-stdin", stdin="another secret\n"
    )
    assert (status, "tokens revoked: 1" in said) == (0, revoked)
    rows = [line.split("\t") for line in command("token", "list")[1].splitlines()[1:]]
    assert {row[1]: row[-1] != "-" for row in rows} == {"ann": revoked, "bob": False}
