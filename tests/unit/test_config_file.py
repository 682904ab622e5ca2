"""Values of the configuration that come from elsewhere."""

from pathlib import Path

import pytest

from telealarm.config.file import load
from telealarm.errors import ConfigError


def test_a_variable_may_name_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "telealarm.yml"
    config.write_text("timezone: UTC\nsmtp:\n  host: mail\n  password: ${LAB_SECRET}\n")
    monkeypatch.setenv("LAB_SECRET_FILE", str(tmp_path / "absent"))
    with pytest.raises(ConfigError) as refused:
        load(config)
    assert str(refused.value) == (
        f"{config}:4: smtp.password: LAB_SECRET_FILE names {tmp_path / 'absent'},"
        " which cannot be read (No such file or directory)"
    )
    (tmp_path / "absent").write_text("of the file\n")
    assert load(config).smtp.password == "of the file"
    monkeypatch.setenv("LAB_SECRET", "of the environment")
    assert load(config).smtp.password == "of the environment"
