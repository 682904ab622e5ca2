"""sms-gateway/: the ways out for SMS. Superusers write them and alone see their settings."""

from typing import Annotated, Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Real, Whole
from telealarm.api.fields.texts import Text
from telealarm.api.fields.values import Json, OneOf
from telealarm.api.resources.gateways import STATUS
from telealarm.api.rest.resource import Resource, Values, remove_row
from telealarm.errors import Invalid
from telealarm.methods.sms.providers import providers
from telealarm.models import SmsGateway
from telealarm.models.gateway import ACTIVE
from telealarm.store.engine import crud


class Settings(Json):
    """What the kind of the gateway asks for."""

    def schema(self) -> Schema:
        return {"anyOf": [kind.schema() for kind in providers().values()]}

    def shown(self) -> Schema:
        return {"type": "object"}


class SmsGatewayForm(Form):
    name: Annotated[str, Text(255, 1)]
    """What the gateway is called; no two have one name."""
    kind: Annotated[str, OneOf(tuple(providers()))] = "http"
    """By which protocol it sends."""
    settings: Annotated[dict[str, Any], Settings()]
    """What this kind of gateway needs."""
    status: Annotated[int, STATUS] = ACTIVE
    """Whether SMS may go out by it."""
    messages_per_second: Annotated[float, Real(0, 10_000)] = 0
    """How many messages may start in a second; 0: no limit."""
    maximum_sending: Annotated[int, Whole(1, 100)] = 4
    """How many messages one worker hands over at once."""


def show(visit: RequestContext, row: SmsGateway) -> dict[str, Any]:
    shown = {
        "url": visit.links.to("sms-gateway", row.id),
        "name": row.name,
        "kind": row.kind,
        "status": row.status,
        "messages_per_second": row.messages_per_second,
        "maximum_sending": row.maximum_sending,
        "created_date": stamp(row.created_date),
        "updated_date": stamp(row.updated_date),
    }
    if visit.login.is_superuser:
        shown["settings"] = row.settings
        hooks = f"{visit.links.origin}/hooks/sms/{row.id}/{row.secret}"
        shown |= {"inbound_url": f"{hooks}/inbound/", "report_url": f"{hooks}/report/"}
    return shown


def create(visit: RequestContext, owner_id: int, values: Values) -> SmsGateway:
    _check(values["kind"], values["settings"])
    return crud.insert(SmsGateway, values)


def change(visit: RequestContext, row: SmsGateway, values: Values) -> None:
    if "kind" in values or "settings" in values:
        _check(values.get("kind", row.kind), values.get("settings", row.settings))
    crud.change(row, values)


def _check(kind: str, settings: Any) -> None:
    try:
        providers()[kind].check(settings)
    except ValueError as error:
        raise Invalid({"settings": [str(error)]}) from None


SMS_GATEWAY = Resource(
    name="sms-gateway",
    model=SmsGateway,
    show=show,
    form=SmsGatewayForm,
    read_only=frozenset({"url", "created_date", "updated_date", "inbound_url", "report_url"}),
    shapes={"inbound_url": json_schema.LINK, "report_url": json_schema.LINK},
    filters={"name": SmsGateway.name, "status": SmsGateway.status},
    create=create,
    change=change,
    delete=remove_row,
    superusers="writes",
    hidden=frozenset({"settings", "inbound_url", "report_url"}),
)
