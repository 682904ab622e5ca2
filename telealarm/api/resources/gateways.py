"""gateway/: the gateways for calls. Superusers write them. Managers read the active ones."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.choices import Choice
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Flag, Real, Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, UPDATED, Computed, SelfLink
from telealarm.api.fields.texts import Region, Text, Word
from telealarm.api.rest.resource import Resource, Values, insert_into, remove_row
from telealarm.models import Gateway
from telealarm.models.gateway import ACTIVE, INACTIVE
from telealarm.models.trunk import DOWN, UNKNOWN, UP
from telealarm.rules import phone
from telealarm.store.dialing import trunks
from telealarm.store.engine import crud
from telealarm.store.outcome import failover

STATUS = Choice({ACTIVE.value: ACTIVE.word, INACTIVE.value: INACTIVE.word}, "GatewayStatus")
PREFIX = Word(60, pattern=r"[+0-9*#]*", right="may hold digits, +, * and # alone")


class DialTemplate(Text):
    """The dial string of a number in Asterisk."""

    def read(self, value: Any) -> str:
        template = super().read(value)
        if not phone.is_template(template):
            raise ValueError("must look like PJSIP/{number}@trunk")
        return template

    def schema(self) -> Schema:
        pattern = r"^PJSIP/[A-Za-z0-9_.:@/\[\]\-]*\{number\}[A-Za-z0-9_.:@/\[\]\-]*$"
        return {**self.line(), "pattern": pattern, "examples": ["PJSIP/{number}@trunk"]}


class NumberPattern(Text):
    """A regular expression for the numbers that a gateway accepts."""

    def read(self, value: Any) -> str:
        pattern = super().read(value) or phone.DEFAULT_PATTERN
        if not phone.is_pattern(pattern):
            raise ValueError(
                r"must be a quick regular expression like \+?[0-9]{6,15}: no repeated group, no"
                " back reference, three repeats at the most"
            )
        return pattern

    def schema(self) -> Schema:
        text = {**self.line(), "pattern": r"^[\x20-\x7e]*$"}
        return {**text, "format": "regex", "examples": [phone.DEFAULT_PATTERN]}


class Prefixes(FieldType):
    """A list of number prefixes. Empty: every number."""

    def read(self, value: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > 1000:
            raise ValueError('must be a list of prefixes like ["+34", "00"]')
        return [PREFIX.read(prefix) for prefix in value]

    def schema(self) -> Schema:
        return {"type": "array", "maxItems": 1000, "items": PREFIX.schema()}


TRUNK_STATE = Computed(
    lambda context, row: trunks.state(row),
    json_schema.words([UP, DOWN, UNKNOWN]),
    meaning="Whether the trunk behind the gateway can be used.",
)


class GatewayForm(Form):
    url: ClassVar = SelfLink("gateway")
    name: Annotated[str, Text(255, 1)]
    """The name of the gateway. No other gateway may have it."""
    status: Annotated[int, STATUS] = ACTIVE
    """Whether calls may use the gateway."""
    description: Annotated[str | None, Text(10_000, lines=True)] = None
    """A note for people."""
    addprefix: Annotated[str, PREFIX] = ""
    """The digits to put before each number."""
    removeprefix: Annotated[str, PREFIX] = ""
    """The digits to remove from the beginning of each number first."""
    gateways: Annotated[str, DialTemplate(500, 1)]
    """The dial string, with `{number}` for the number."""
    gateway_codecs: Annotated[str, Text(500)] = ""
    """Kept for the predecessor's clients. It has no effect."""
    gateway_timeouts: Annotated[str, Text(500)] = ""
    """Kept for the predecessor's clients. It has no effect."""
    gateway_retries: Annotated[str, Text(500)] = ""
    """Kept for the predecessor's clients. It has no effect."""
    originate_dial_string: Annotated[str, Text(500)] = ""
    """Kept for the predecessor's clients. It has no effect."""
    failover: Annotated[int | None, Relation("gateway")] = None
    """The gateway to try next if this one is congested."""
    addparameter: Annotated[str, Text(360)] = ""
    """Kept for the predecessor's clients. It has no effect."""
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED
    maximum_call: Annotated[int, Whole(0)] = 0
    """How many calls may run at once. 0: no limit."""
    calls_per_second: Annotated[float, Real(0, 10_000)] = 0
    """How many calls may start in a second. 0: no limit."""
    number_pattern: Annotated[str, NumberPattern(100)] = phone.DEFAULT_PATTERN
    """A regular expression that a number must match as a whole."""
    allowed_prefixes: Annotated[list[str], Prefixes()] = Field(default_factory=list)
    """The prefixes of numbers that may be dialled. Empty: all numbers."""
    region: Annotated[str | None, Region()] = None
    """The region whose emergency numbers are not dialled. Default: the region of the calendar
    setting, else the configuration's. Without any: the emergency numbers of all regions.
    """
    extensions: Annotated[bool, Flag()] = False
    """Whether the gateway reaches your own phones only. Then no number is an emergency number."""
    trunk_state: ClassVar = TRUNK_STATE


def change(context: RequestContext, row: Gateway, values: Values) -> None:
    failover.check(row.id, values.get("failover"))
    crud.change(row, values)


GATEWAY = Resource(
    name="gateway",
    model=Gateway,
    form=GatewayForm,
    filters={"name": Gateway.name, "status": Gateway.status},
    create=insert_into(Gateway, owned=False),
    change=change,
    delete=remove_row,
    superusers="writes",
    example={"name": "trunk", "gateways": "PJSIP/{number}@trunk", "maximum_call": 10},
)
