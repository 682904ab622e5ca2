"""Whether the service lives, whether it can work, and its metrics. These paths need no login.

They are not for clients of the API: `/healthz` is for a supervisor, `/readyz` for an operator,
`/metrics` for Prometheus.
"""

from typing import Any

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Schema

TAG = "service"

_CHECKS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_HEALTH = json_schema.thing(
    {"ready": {"type": "boolean"}, "checks": _CHECKS, "remarks": _CHECKS}, "Health"
)
# Only a superuser sees it.
_HEALTH["properties"]["tzdata"] = {"type": "string"}
_ALIVE = json_schema.thing({"alive": {"type": "boolean"}}, "Alive")


def _probe(
    name: str, summary: str, about: str, replies: dict[str, tuple[str, str, Schema]]
) -> dict[str, Any]:
    responses = {
        status: {"description": description, "content": {media: {"schema": schema}}}
        for status, (description, media, schema) in replies.items()
    }
    get = {
        "operationId": name,
        "tags": [TAG],
        "summary": summary,
        "description": about,
        "security": [],
        "responses": responses,
    }
    return {
        "description": "The methods are GET, HEAD. Any other gets 405, with these in `Allow`.",
        "get": get,
    }


# The answers of probes.py.
PATHS: dict[str, dict[str, Any]] = {
    "/healthz": _probe(
        "healthz",
        "Show whether the process lives",
        "Answers as long as the process lives. It asks nothing else.",
        {"200": ("The process lives.", "application/json", _ALIVE)},
    ),
    "/readyz": _probe(
        "readyz",
        "Show whether the service can work; tell a superuser what to change",
        "Answers 200 if every check is right, else 503. Without a superuser's login, the reply has"
        " the names of the checks only.",
        {
            "200": (
                "The service can work. Remarks say what could be better.",
                "application/json",
                _HEALTH,
            ),
            "503": (
                "The service cannot work. Each check says what to change, to a superuser.",
                "application/json",
                _HEALTH,
            ),
        },
    ),
    "/metrics": _probe(
        "metrics",
        "Return the metrics for Prometheus",
        "Returns every metric, with its help and its type.",
        {"200": ("The metrics in Prometheus' text format.", "text/plain", {"type": "string"})},
    ),
}
