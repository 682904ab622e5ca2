"""The error replies in the OpenAPI document."""

from typing import Any

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Schema

SCHEMAS: dict[str, Schema] = {
    "Detail": json_schema.thing({"detail": {"type": "string"}}),
    "WrongFields": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    },
    "RequestErrors": {"anyOf": [json_schema.ref("Detail"), json_schema.ref("WrongFields")]},
}

# The name of each error, its description, and its headers.
ERRORS: dict[int, tuple[str, str, tuple[str, ...]]] = {
    400: ("WrongRequest", "The request is wrong: errors by field, or one `detail`.", ()),
    401: ("LoginRequired", "The login is missing or wrong.", ("WWW-Authenticate",)),
    403: ("Forbidden", "Only superusers may do this.", ()),
    404: ("NotFound", "It does not exist.", ()),
    409: ("Conflict", "This conflicts with something else. `detail` says with what.", ()),
    413: ("TooLarge", "The body is over 1 MiB.", ()),
    415: ("UnsupportedMediaType", "The body is not application/json.", ()),
    429: ("TooManyLogins", "Too many wrong passwords.", ("Retry-After",)),
    503: ("Unavailable", "The service could not do it now. Try again later.", ("Retry-After",)),
}


def ref(status: int) -> Schema:
    """Return the reference to an error among the document's responses."""
    return {"$ref": f"#/components/responses/{ERRORS[status][0]}"}


def components() -> dict[str, Any]:
    """Return the errors for the document's responses, by their names."""
    return {name: _error(status) for status, (name, _, _) in ERRORS.items()}


def _error(status: int) -> dict[str, Any]:
    _, description, headers = ERRORS[status]
    schema = json_schema.ref("RequestErrors" if status == 400 else "Detail")
    return {
        "description": description,
        "headers": {
            name: {"description": f"`{name}` of HTTP.", "schema": {"type": "string"}}
            for name in headers
        },
        "content": {"application/json": {"schema": schema}},
    }
