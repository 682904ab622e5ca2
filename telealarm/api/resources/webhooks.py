"""webhook/: addresses that get a manager's changes, signed by Standard Webhooks."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.reply import CREATED, UPDATED, Column, Computed, SelfLink
from telealarm.api.fields.texts import Url
from telealarm.api.resources.gateways import STATUS
from telealarm.api.rest.resource import Action, Resource, Values, remove_row
from telealarm.models import Webhook
from telealarm.models.gateway import ACTIVE
from telealarm.store.webhooks import webhooks
from telealarm.words import Change

SECRET: Schema = {
    "type": ["string", "null"],
    "description": "Shown once: when the webhook is created or its secret is rotated.",
}


class Changes(FieldType):
    """The changes that are sent. Empty: all changes."""

    def read(self, value: Any) -> list[str]:
        known = [change.value for change in Change]
        if not isinstance(value, list) or not all(word in known for word in value):
            raise ValueError(f"must be a list of some of {', '.join(known)}")
        return [word for word in known if word in value]

    def schema(self) -> Schema:
        words = json_schema.words(Change, "ChangeType")
        return {"type": "array", "items": words}


class WebhookForm(Form):
    url: ClassVar = SelfLink("webhook")
    target_url: Annotated[str, Url(min_length=1)]
    """The address that gets the POSTs."""
    events: Annotated[list[str], Changes()] = Field(default_factory=list)
    """The changes that are sent. Empty: all changes."""
    status: Annotated[int, STATUS] = ACTIVE
    """Whether changes are sent."""
    status_reason: ClassVar = Column(meaning="Why the status is what it is, as one stable word.")
    failing_since: ClassVar = Column(meaning="The time since which no delivery has succeeded.")
    secret: ClassVar = Computed(lambda context, row: None, SECRET)
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def show_secret(row: Webhook) -> dict[str, Any]:
    return {"secret": row.secret}


def create(context: RequestContext, owner_id: int, values: Values) -> Webhook:
    return webhooks.add(owner_id, values)


def change(context: RequestContext, row: Webhook, values: Values) -> None:
    webhooks.change(row, values)


def rotate_secret(context: RequestContext, row: Webhook, values: Values) -> dict[str, Any]:
    """Create a new secret. For a day, both the old and the new one sign"""
    webhooks.rotate(row, context.now)
    return {**WEBHOOK.show(context, row), **show_secret(row)}


WEBHOOK = Resource(
    name="webhook",
    model=Webhook,
    form=WebhookForm,
    filters={"status": Webhook.status},
    create=create,
    once=show_secret,
    change=change,
    delete=remove_row,
    secrets=("secret",),
    actions=(Action("rotate_secret", "POST", rotate_secret, reply=json_schema.ref("Webhook")),),
    example={"target_url": "https://example.com/telealarm", "events": [Change.RESULT]},
)
