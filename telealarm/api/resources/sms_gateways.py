"""sms-gateway/: the gateways for SMS. Only superusers write them and see their settings."""

from typing import Annotated, Any, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Schema
from telealarm.api.fields.choices import OneOf
from telealarm.api.fields.form import Form
from telealarm.api.fields.json import Json
from telealarm.api.fields.numbers import Real, Whole
from telealarm.api.fields.reply import CREATED, UPDATED, Column, Computed, SelfLink
from telealarm.api.fields.texts import Text
from telealarm.api.resources.gateways import STATUS
from telealarm.api.rest.resource import Action, Resource, Values, remove_row
from telealarm.errors import Invalid
from telealarm.methods.sms.providers import providers
from telealarm.models import SmsGateway
from telealarm.models.gateway import ACTIVE
from telealarm.store.engine import crud
from telealarm.store.messages import sms_gateways
from telealarm.words import SmsCancel


class Settings(Json):
    """The settings for the kind of the gateway."""

    def schema(self) -> Schema:
        return {
            "anyOf": [
                {"title": f"{name.title()}SmsSettings", **provider.schema()}
                for name, provider in providers().items()
            ]
        }


SETTINGS = Column(shape=json_schema.ANY_OBJECT, superusers=True)


def inbound_url(context: RequestContext, row: SmsGateway) -> str:
    return f"{context.links.origin}/hooks/sms/{row.id}/{row.secret}/inbound/"


def report_url(context: RequestContext, row: SmsGateway) -> str:
    return f"{context.links.origin}/hooks/sms/{row.id}/{row.secret}/report/"


class SmsGatewayForm(Form):
    url: ClassVar = SelfLink("sms-gateway")
    name: Annotated[str, Text(255, 1)]
    """The name of the gateway. No other gateway may have it."""
    kind: Annotated[str, OneOf(tuple(providers()))] = "http"
    """The protocol of the gateway."""
    settings: Annotated[dict[str, Any], Settings(), SETTINGS]
    """The settings for this kind of gateway."""
    status: Annotated[int, STATUS] = ACTIVE
    """Whether SMS may use the gateway."""
    messages_per_second: Annotated[float, Real(0, 10_000)] = 0
    """How many messages may start in a second. 0: no limit."""
    maximum_sending: Annotated[int, Whole(1, 100)] = 4
    """How many messages one worker sends at once."""
    sms_cancel: Annotated[str, OneOf(tuple(SmsCancel))] = SmsCancel.APPOINTMENT
    """What a reply of CANCEL means: the appointment, or no more messages (the rule in the USA)."""
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED
    inbound_url: ClassVar = Computed(
        inbound_url,
        json_schema.LINK,
        superusers=True,
        meaning="The address for replies. Give it to your provider.",
    )
    report_url: ClassVar = Computed(
        report_url,
        json_schema.LINK,
        superusers=True,
        meaning="The address for delivery reports. Give it to your provider.",
    )


def rotate_secret(context: RequestContext, row: SmsGateway, values: Values) -> dict[str, Any]:
    """Create new addresses for the provider. For a day, the old ones work too"""
    sms_gateways.rotate(row, context.now)
    return SMS_GATEWAY.show(context, row)


def create(context: RequestContext, owner_id: int, values: Values) -> SmsGateway:
    _check(values["kind"], values["settings"])
    return crud.insert(SmsGateway, values)


def change(context: RequestContext, row: SmsGateway, values: Values) -> None:
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
    form=SmsGatewayForm,
    filters={"name": SmsGateway.name, "status": SmsGateway.status},
    create=create,
    change=change,
    delete=remove_row,
    actions=(Action("rotate_secret", "POST", rotate_secret, reply=json_schema.ref("SmsGateway")),),
    superusers="writes",
    secrets=("settings", "secret"),
    example={"name": "provider", "settings": {"url": "https://sms.example.com/send"}},
)
