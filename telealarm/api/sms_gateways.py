"""sms-gateway/: the ways out for SMS. Superusers write them and alone see their settings."""

from typing import Annotated, Any

from telealarm.api.fields import Json, OneOf
from telealarm.api.forms import Form
from telealarm.api.gateways import STATUS
from telealarm.api.kind import Schema
from telealarm.api.resource import Resource, change_row, insert_into, remove_row
from telealarm.api.texts import Text, Url, safe
from telealarm.api.visit import Visit, stamp
from telealarm.models import SmsGateway
from telealarm.models.gateway import ACTIVE


class HttpSettings(Json):
    """The request that sends an SMS, and what counts as its success."""

    def read(self, value: Any) -> dict[str, Any]:
        settings = super().read(value)
        known = {"url", "method", "headers", "body", "success", "message_id"}
        _only(settings, known, "settings")
        if not settings.get("url"):
            raise ValueError("url: must be the gateway's address, like https://example.com/send")
        Url().read(settings["url"])
        if settings.get("method", "POST") not in ("POST", "PUT", "GET"):
            raise ValueError("method: must be POST, PUT or GET")
        _texts(settings.get("headers", {}), "headers")
        for name in ("body", "message_id"):
            if not isinstance(settings.get(name, ""), str):
                raise ValueError(f"{name}: must be a text")
        _success(settings.get("success", {}))
        return settings

    def schema(self) -> Schema:
        status = {"type": "integer", "minimum": 100, "maximum": 599}
        success = {
            "status": {"type": "array", "items": status},
            "json": {"type": "object"},
        }
        return {
            "type": "object",
            "properties": {
                "url": {**Url().schema(), "minLength": 1},
                "method": {"type": "string", "enum": ["POST", "PUT", "GET"]},
                "headers": {
                    "type": "object",
                    "propertyNames": {"pattern": "^[A-Za-z0-9-]+$"},
                    "additionalProperties": {"type": "string", "pattern": r"^[\x20-\x7e]*$"},
                },
                "body": {"type": "string", "pattern": r"^[\x20-\x7e\xa0-\xff]*$"},
                "success": {
                    "type": "object",
                    "properties": success,
                    "additionalProperties": False,
                },
                "message_id": {"type": "string", "pattern": r"^[\x20-\x7e]*$"},
            },
            "required": ["url"],
            "additionalProperties": False,
        }


def _only(value: Any, known: set[str], name: str) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{name}: must be a JSON object")
    unknown = set(value) - known
    if unknown:
        raise ValueError(
            f"{name}: {', '.join(sorted(unknown))} is unknown; it may hold"
            f" {', '.join(sorted(known))}"
        )


def _texts(value: Any, name: str) -> None:
    if not isinstance(value, dict) or not all(
        isinstance(text, str) and key and safe(key + text) for key, text in value.items()
    ):
        raise ValueError(f"{name}: must be a JSON object of texts of one line")


def _success(value: Any) -> None:
    _only(value, {"status", "json"}, "success")
    numbers = value.get("status", [])
    if not isinstance(numbers, list) or not all(
        type(number) is int and 100 <= number <= 599 for number in numbers
    ):
        raise ValueError("success.status: must be a list of HTTP statuses like [200]")
    if not isinstance(value.get("json", {}), dict):
        raise ValueError("success.json: must be a JSON object of paths and values")


class SmsGatewayForm(Form):
    name: Annotated[str, Text(255, 1)]
    kind: Annotated[str, OneOf(("http",))] = "http"
    settings: Annotated[dict[str, Any], HttpSettings()]
    status: Annotated[int, STATUS] = ACTIVE


def show(visit: Visit, row: Any) -> dict[str, Any]:
    shown = {
        "url": visit.links.to("sms-gateway", row.id),
        "name": row.name,
        "kind": row.kind,
        "status": row.status,
        "created_date": stamp(row.created_date),
        "updated_date": stamp(row.updated_date),
    }
    if visit.login.is_superuser:
        shown["settings"] = row.settings
    return shown


SMS_GATEWAY = Resource(
    name="sms-gateway",
    model=SmsGateway,
    show=show,
    form=SmsGatewayForm,
    read_only=frozenset({"url", "created_date", "updated_date"}),
    filters={"name": SmsGateway.name, "status": SmsGateway.status},
    create=insert_into(SmsGateway, owned=False),
    change=change_row,
    delete=remove_row,
    superusers="writes",
    hidden=frozenset({"settings"}),
)
