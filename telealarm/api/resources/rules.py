"""rule/: how events repeat. Everybody sees the predefined rules. They cannot be changed."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.choices import OneOf
from telealarm.api.fields.form import Form
from telealarm.api.fields.reply import SelfLink
from telealarm.api.fields.texts import Text, Zone
from telealarm.api.rest.resource import Resource, Values
from telealarm.models import Rule
from telealarm.store.calendars import recurrence_rules

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
_NUMBERS = ("bysetpos", "bymonth", "bymonthday", "byyearday", "byweekno")
_CLOCK = ("byhour", "byminute", "bysecond", "byeaster")
OPTIONS = ("count", "interval", "byweekday", *_NUMBERS, *_CLOCK)

_VALUES = re.compile(r"[+-]?[0-9]{1,3}(,[+-]?[0-9]{1,3}){0,99}", re.ASCII)
_DAY = r"([0-6]|([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU))"
_DAYS = re.compile(rf"{_DAY}(,{_DAY}){{0,99}}", re.ASCII)
_COUNT = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_PART = re.compile(r"[A-Z]{3,10}=[A-Z0-9,+-]{1,400}", re.ASCII)


class FrequencyField(OneOf):
    """A frequency, in capitals or not."""

    def read(self, value: Any) -> str:
        return super().read(value.strip().upper() if isinstance(value, str) else value)


class Params(Text):
    """The predecessor's form: `count:10;byweekday:TU,WE`."""

    def read(self, value: Any) -> str:
        text = re.sub(r"\s", "", super().read(value)).strip(";")
        names = [self._check(part) for part in text.split(";")] if text else []
        if len(set(names)) < len(names):
            raise ValueError("must have each option once")
        return text

    def _check(self, part: str) -> str:
        name, colon, values = part.partition(":")
        if name not in OPTIONS or not colon:
            raise ValueError(f"must look like count:10;byweekday:0,1 with {', '.join(OPTIONS)}")
        single = name in ("count", "interval")
        form = _COUNT if single else _DAYS if name == "byweekday" else _VALUES
        if not form.fullmatch(values):
            right = "a number above 0" if single else "numbers"
            if name == "byweekday":
                right = "days like 0,1 (Monday is 0) or MO,TU"
            raise ValueError(f"{name}: must be {right}")
        return name


@dataclass(frozen=True)
class RecurrenceText(Text):
    """A recurrence of RFC 5545, like `FREQ=WEEKLY;BYDAY=TU`, with or without `RRULE:` before it.

    Its parts may come in any order (3.3.10).
    """

    def read(self, value: Any) -> str | None:  # type: ignore[override]
        text = re.sub(r"\s", "", super().read(value)).upper().removeprefix("RRULE:").strip(";")
        if not text:
            return None
        parts = text.split(";")
        names = [part.split("=")[0] for part in parts]
        if "FREQ" not in names or not all(_PART.fullmatch(part) for part in parts):
            raise ValueError("must be a recurrence of RFC 5545 like FREQ=WEEKLY;BYDAY=TU")
        if len(set(names)) < len(names):
            raise ValueError("must have each part once")
        if parts[names.index("FREQ")].removeprefix("FREQ=") not in FREQUENCIES:
            raise ValueError(f"FREQ must be one of {', '.join(FREQUENCIES)}")
        return text


class RuleForm(Form):
    url: ClassVar = SelfLink("rule")
    name: Annotated[str, Text(100, 1)]
    """The name of the rule in lists."""
    description: Annotated[str, Text(10_000, lines=True)] = ""
    """A note for people."""
    frequency: Annotated[str | None, FrequencyField(FREQUENCIES)] = None
    """How often the event repeats."""
    params: Annotated[str, Params(500)] = ""
    """The days and the number of repeats, in the predecessor's form."""
    rrule: Annotated[str | None, RecurrenceText(500)] = None
    """The recurrence in the form of RFC 5545, instead of `frequency` and `params`."""
    timezone: Annotated[str | None, Zone()] = None
    """The time zone in which the rule counts days and hours. Default: the event's."""


def weigh(context: RequestContext, row: Rule | None, values: Values) -> None:
    """Check that the rule can occur, and that its occurrences are cheap to compute."""
    recurrence_rules.check(row, values)


def create(context: RequestContext, owner_id: int, values: Values) -> Rule:
    return recurrence_rules.create(owner_id, values)


def change(context: RequestContext, row: Rule, values: Values) -> None:
    recurrence_rules.change(row, values, context.now)


def delete(context: RequestContext, row: Rule) -> None:
    recurrence_rules.remove(row)


RULE = Resource(
    name="rule",
    model=Rule,
    form=RuleForm,
    filters={"name": Rule.name, "frequency": Rule.frequency},
    weigh=weigh,
    create=create,
    change=change,
    delete=delete,
    example={"name": "Tuesdays", "rrule": "FREQ=WEEKLY;BYDAY=TU"},
)
