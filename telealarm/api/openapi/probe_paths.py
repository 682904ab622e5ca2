"""Whether the service lives, can work, and what it counts. Without a login, and not for the API's
clients: `/healthz` for a supervisor, `/readyz` for an operator, `/metrics` for Prometheus.
"""

from typing import Any

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Schema

TAG = "service"

_SAID: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_HEALTH = json_schema.thing({"ready": {"type": "boolean"}, "checks": _SAID, "remarks": _SAID})
_ALIVE = json_schema.thing({"alive": {"const": True}})


def _probe(name: str, summary: str, replies: dict[str, tuple[str, str, Schema]]) -> dict[str, Any]:
    responses = {
        status: {"description": said, "content": {media: {"schema": schema}}}
        for status, (said, media, schema) in replies.items()
    }
    get = {
        "operationId": name,
        "tags": [TAG],
        "summary": summary,
        "security": [],
        "responses": responses,
    }
    return {
        "description": "Any method but GET and HEAD is answered with 405 and these in `Allow`.",
        "get": get,
    }


# What api.health answers.
PATHS: dict[str, dict[str, Any]] = {
    "/healthz": _probe(
        "healthz",
        "Whether the process lives",
        {"200": ("It does.", "application/json", _ALIVE)},
    ),
    "/readyz": _probe(
        "readyz",
        "Whether it can do its work, and if not, what is to be changed",
        {
            "200": (
                "It can; a remark says what is not as it could be.",
                "application/json",
                _HEALTH,
            ),
            "503": ("It cannot; by part, what is to be changed.", "application/json", _HEALTH),
        },
    ),
    "/metrics": _probe(
        "metrics",
        "What Prometheus reads",
        {"200": ("Prometheus' text format.", "text/plain", {"type": "string"})},
    ),
}
