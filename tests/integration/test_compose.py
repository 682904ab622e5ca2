"""docker-compose.yml, as far as no engine is needed.

The file is read by the real Compose. tests/acceptance/test_containers.py runs it.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from telealarm.config.file import load
from tests.lab.engine import engine_root
from tests.lab.ports import HOST

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).parents[2]
COMPOSE = REPOSITORY / "docker-compose.yml"
DOCKER = REPOSITORY / "config" / "docker"
SERVICES = ("asterisk", "telealarm")
# What a user fills in.
FILLED = {
    "TELEALARM_ARI_PASSWORD": "a-long-random-word",
    "TELEALARM_DB_PASSWORD": "another.long_one",
    "TELEALARM_TRUNK_HOST": "127.0.0.1",
    "TELEALARM_PUBLIC_ADDRESS": "192.0.2.7",
}
SECRETS = [name for name in FILLED if name.endswith("PASSWORD")]
PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")


def compose(values: Mapping[str, str], text: str | None = None) -> subprocess.CompletedProcess[str]:
    """What `docker compose config` says of our file, or of `text`, with `values` in .env."""
    root = engine_root()
    command = [
        "/usr/sbin/chroot",
        str(root),
        "docker-compose",
        "-f",
        "-",
        "config",
        "--format=json",
    ]
    return subprocess.run(
        command,
        input=COMPOSE.read_text() if text is None else text,
        env={"PATH": os.defpath, **values},
        capture_output=True,
        text=True,
    )


def example() -> dict[str, str]:
    """The variables of env.example, with what stands there."""
    lines = (DOCKER / "env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def environment(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What each service finds in its environment, as Compose has it."""
    done = compose(values)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    return {name: services[name].get("environment", {}) for name in services}


def test_compose_takes_the_file() -> None:
    done = compose({**example(), **FILLED})
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    services = json.loads(done.stdout)["services"]
    assert set(services) == {"postgres", *SERVICES}
    assert all(service["restart"] == "unless-stopped" for service in services.values())
    assert all(service["healthcheck"]["test"] for service in services.values())
    (database,) = services["postgres"]["ports"]
    assert (database["host_ip"], database["target"]) == (HOST, 5432)


def test_compose_would_refuse_a_wrong_key() -> None:
    done = compose({**example(), **FILLED}, COMPOSE.read_text().replace("restart:", "restrt:"))
    assert done.returncode != 0
    assert "restrt" in done.stderr


@pytest.mark.parametrize("missing", FILLED)
def test_compose_says_what_to_set(missing: str) -> None:
    done = compose({**example(), **FILLED, missing: ""})
    assert done.returncode != 0
    assert f"{missing} is missing a value: set it in .env" in done.stderr


def test_every_secret_may_be_a_file() -> None:
    secrets = yaml.safe_load(COMPOSE.read_text())["secrets"]
    assert {secret["environment"] for secret in secrets.values()} == set(SECRETS)
    added = (DOCKER / "secret-files.yml").read_text()
    for name, secret in secrets.items():
        assert f"\n  {name}: !override\n    file: ${{{secret['environment']}}}\n" in added


def test_every_file_that_is_named_exists() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name in SERVICES:
        build = services[name]["build"]
        lines = (REPOSITORY / build["dockerfile"]).read_text().splitlines()
        copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
        assert copied
        for source in (source for sources in copied for source in sources):
            assert list((REPOSITORY / build["context"]).glob(source)), source
    named = re.findall(r"(?<!/)(?:config|dialplan|sounds)/[\w./-]*\w", COMPOSE.read_text())
    named += re.findall(r"config/[\w./-]*\w", (DOCKER / "env.example").read_text())
    assert named
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def test_every_variable_is_described_and_used() -> None:
    values = example()
    assert set(PLACEHOLDER.findall(COMPOSE.read_text())) == set(values)
    # No working password in the repository, and nothing to fill in that has a default.
    assert {name for name, value in values.items() if not value} == set(FILLED)

    inside = environment({**values, **FILLED})
    paths = [*REPOSITORY.glob("config/asterisk/*.conf"), *DOCKER.glob("asterisk/*.conf")]
    asked = {name for path in paths for name in PLACEHOLDER.findall(path.read_text())}
    asked_by = {
        "asterisk": asked,
        "telealarm": set(PLACEHOLDER.findall((DOCKER / "telealarm.yml").read_text())),
    }
    for service, names in asked_by.items():
        assert {name.removesuffix("_FILE") for name in inside[service]} == names
        # The secrets are not there, but files that hold them.
        assert not any("PASSWORD" in name for name in inside[service].keys() & names)
    # The defaults in the two files are the same.
    assert environment(FILLED) == inside


def test_telealarms_configuration_loads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in environment({**example(), **FILLED})["telealarm"].items():
        if name.endswith("_FILE"):
            secret = tmp_path / name
            secret.write_text(FILLED[name.removesuffix("_FILE")] + "\n")
            value = str(secret)
        monkeypatch.setenv(name, value)
    config = load(DOCKER / "telealarm.yml")
    password = FILLED["TELEALARM_DB_PASSWORD"]
    assert config.database == f"postgresql://telealarm:{password}@127.0.0.1:15432/telealarm"
    assert config.asterisk.ari.password == FILLED["TELEALARM_ARI_PASSWORD"]
    assert config.worker_name == "telealarm-8000"
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    # What one writes and the other reads lies on a volume, under the same name.
    for reader, writer, read in (
        ("telealarm", "asterisk", Path(config.asterisk.cdr or "").parent),
        ("asterisk", "telealarm", Path(config.prompts.folder)),
    ):
        (volume,) = (v for v in services[reader]["volumes"] if isinstance(v, dict))
        assert volume["target"] == str(read)
        assert f"{volume['source']}:{read}" in services[writer]["volumes"]
    assert f"recordings:{config.recordings.folder}" in services["telealarm"]["volumes"]
