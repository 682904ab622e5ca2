"""Ready set-ups, posted through the API for one manager.

An example is a list of steps. Each is a POST or a PATCH with a body. `$name` in a body stands for a
row of an earlier step (`as: name`), or for an option of the command. A row that exists already,
with the same values in the fields of `same`, is kept. So a second run creates nothing.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from telealarm.api.local_client import LocalClient
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Invalid, TeleAlarmError
from telealarm.models import Gateway, SmsGateway, Survey
from telealarm.models.gateway import ACTIVE
from telealarm.store import audit
from telealarm.store.access import users
from telealarm.store.engine.database import Database

_NAME = re.compile(r"\$([a-z_]+)")
# A day of the example, counted from the day of loading; or the next workday.
_DAY = re.compile(r"\$day\+([0-9]{1,3})")
_WORKDAY, _SATURDAY = "$workday", 5


class _DryRun(Exception):
    """Rolls everything back."""


@dataclass(frozen=True)
class Asked:
    """The options of the command."""

    user: str
    number: str
    timezone: str
    reception: str = ""
    gateway: str | None = None
    sms_gateway: str | None = None


@dataclass(frozen=True)
class Done:
    """The result of a step: `made`, `changed` or `kept`."""

    what: str
    path: str
    title: str


@dataclass
class Loading:
    """Loads an example into the database. Run it within a transaction."""

    client: LocalClient
    today: date
    # The values of the names in bodies.
    known: dict[str, Any]
    done: list[Done] = field(default_factory=list)
    _kept: set[str] = field(default_factory=set)

    def run(self, steps: list[dict[str, Any]]) -> list[Done]:
        """Do the steps in order. Raises TeleAlarmError, naming the step."""
        for number, step in enumerate(steps, 1):
            try:
                self._do(step)
            except Invalid as error:
                where = step.get("post") or step.get("patch") or step.get("seal")
                raise TeleAlarmError(f"step {number} ({where}): {error}") from error
        return self.done

    def _do(self, step: dict[str, Any]) -> None:
        if "seal" in step:
            self._seal(step)
        elif "patch" in step:
            self._patch(step)
        else:
            self._post(step)

    def _post(self, step: dict[str, Any]) -> None:
        name, body = step["post"], self._filled(step["body"])
        row, is_new = self.client.keep_or_create(name, body, step["same"])
        self._note(step, row.id, name, is_new, body)

    def _seal(self, step: dict[str, Any]) -> None:
        template = self.known[step["seal"]]
        sealed = Survey.select().where(Survey.template == template).get_or_none()
        is_new = sealed is None
        if sealed is None:
            self.client.act("survey-template", template, "seal")
            sealed = Survey.select().where(Survey.template == template).get()
        self._note(step, sealed.id, "sealed-survey", is_new, {"name": sealed.name})

    def _patch(self, step: dict[str, Any]) -> None:
        """Change a row, unless it existed before: then it is up to its owner."""
        if step["of"] in self._kept:
            return
        key = self.known[step["of"]]
        self.client.change(step["patch"], key, self._filled(step["body"]))
        self.done.append(Done("changed", f"{step['patch']}/{key}/", ""))

    def _note(
        self, step: dict[str, Any], row_id: int, name: str, is_new: bool, body: Mapping[str, Any]
    ) -> None:
        if "as" in step:
            self.known[step["as"]] = row_id
            if not is_new:
                self._kept.add(step["as"])
        titles = ("name", "label", "title", "username", "question", "alarm_phonenumber", "keys")
        title = next((str(body[title]) for title in titles if body.get(title)), "")
        self.done.append(Done("made" if is_new else "kept", f"{name}/{row_id}/", title))

    def _filled(self, value: Any) -> Any:
        """Return `value` with its names replaced. A name alone keeps the type of its value."""
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if not isinstance(value, str):
            return value
        if alone := _NAME.fullmatch(value):
            return self.known[alone[1]]
        value = value.replace(_WORKDAY, str(self._workday()))
        value = _DAY.sub(lambda match: str(self.today + timedelta(int(match[1]))), value)
        return _NAME.sub(lambda match: str(self.known[match[1]]), value)

    def _workday(self) -> date:
        day = self.today + timedelta(1)
        while day.weekday() >= _SATURDAY:
            day += timedelta(1)
        return day


def read(name: str) -> tuple[str, list[dict[str, Any]]]:
    """Return what the example is for, and its steps."""
    file = resources.files("telealarm.examples").joinpath(f"{name}.yml")
    example = yaml.safe_load(file.read_text(encoding="utf-8"))
    return example["about"], example["steps"]


def load(
    db: Database, config: Config, steps: list[dict[str, Any]], asked: Asked, *, dry_run: bool
) -> list[Done]:
    """Do all of the steps, or none. Raises TeleAlarmError, naming the step that failed."""
    try:
        zone = ZoneInfo(asked.timezone)
    except (KeyError, ValueError, OSError):
        raise TeleAlarmError(f"{asked.timezone!r} is no IANA time zone") from None
    done: list[Done] = []

    def work() -> None:
        client = LocalClient(config, users.named(asked.user), audit.by_command())
        known = gateways(asked.gateway, asked.sms_gateway) | {
            "user": asked.user,
            "number": asked.number,
            "reception": asked.reception,
            "timezone": asked.timezone,
        }
        Loading(client, utcnow().astimezone(zone).date(), known, done).run(steps)
        if dry_run:
            raise _DryRun

    with suppress(_DryRun):
        db.run(work)
    return done


def gateways(name: str | None, sms_name: str | None) -> dict[str, Any]:
    """Return the ids of the gateways with these names, else of the first active ones.

    Raises TeleAlarmError if there is no gateway for calls. A gateway for SMS may be missing.
    """
    call, sms = _gateway(Gateway, name), _gateway(SmsGateway, sms_name)
    if call is None:
        raise TeleAlarmError(
            "there is no active gateway; a superuser makes one with"
            ' POST gateway/ {"name": "first", "gateways": "PJSIP/{number}@trunk"}'
        )
    return {"gateway": call, "sms_gateway": sms}


def _gateway(model: type[Gateway] | type[SmsGateway], name: str | None) -> int | None:
    active = model.select().where(model.status == ACTIVE).order_by(model.id)
    row = active.where(model.name == name).get_or_none() if name else active.get_or_none()
    if name and row is None:
        raise TeleAlarmError(f"there is no active gateway {name!r}")
    return row.id if row else None
