"""The configuration's zone comes from one place: it belongs to the database that is open."""

import ast
from pathlib import Path

import telealarm
from telealarm import models
from telealarm.cli import example
from telealarm.config import model
from telealarm.config.model import Config
from telealarm.store.engine import database, time_zones

PACKAGE = Path(telealarm.__file__).parent


def test_each_database_has_the_zone_of_the_configuration_that_opened_it(tmp_path: Path) -> None:
    bound = models.Calendar._meta.database
    try:
        for zone in ("Europe/Madrid", "America/Lima"):
            url = f"sqlite:///{tmp_path}/{zone.replace('/', '-')}.db"
            opened = database.connect(Config(database=url, timezone=zone))
            assert (str(time_zones.configured()), models.Calendar._meta.database) == (zone, opened)
    finally:
        if bound is not None:
            bound.bind(models.ALL)


def test_nothing_hands_the_default_zone_on() -> None:
    """No other module reads `timezone` of the configuration, and no parameter carries it."""
    # On the command line it stands for an option that is not given.
    known = {Path(str(module.__file__)) for module in (model, database, example)}
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case (
                    ast.arg(arg="default_zone")
                    | ast.Attribute(attr="default_zone" | "_default_zone")
                ):
                    wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
                case ast.Attribute(attr="timezone", value=of) if path not in known:
                    if ast.unparse(of).endswith(("config", "settings")):
                        wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert not wrong, f"ask {time_zones.__name__}.configured() instead: {', '.join(wrong)}"
