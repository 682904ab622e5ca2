"""What a write changes, field by field, for the audit log."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import reply
from telealarm.api.fields.form import Form, marked
from telealarm.api.fields.reply import Column, Computed, RowLink, SelfLink
from telealarm.api.fields.texts import Secret
from telealarm.api.rest.resource import Resource
from telealarm.models import BaseModel, User
from telealarm.store import audit
from telealarm.store.access import visibility
from telealarm.store.audit import CHANGED, Changes

# Texts longer than this are cut, so that an entry stays small.
LONGEST = 1000

Shown = dict[str, Any]

# What every write changes.
_DATES = {"created_date", "updated_date"}


def shown(
    context: RequestContext, resource: Resource, row: BaseModel, sent: Iterable[str] = ()
) -> Shown:
    """Return the values of the row's fields. A relation is an id, a moment is in UTC.

    A field that is computed is there if it was `sent`. Secrets are raw: `changed` hides them.
    """
    values: Shown = {}
    for name, field in reply.fields_of(resource.fields).items():
        if isinstance(field, SelfLink) or name in _DATES:
            continue
        of = field.of if isinstance(field, Column | RowLink) and field.of else name
        column = row._meta.combined.get(of)
        if column is not None and column.name in row.__data__:
            values[name] = plain(row.__data__[column.name])
        elif isinstance(field, Computed) and name in sent:
            values[name] = plain(field.show(context, row, name))
    for name in _secrets(resource):
        if name in row.__data__:
            values[name] = row.__data__[name]
    return values


def changed(resource: Resource, before: Shown, after: Shown) -> Changes:
    """Return the fields that differ. Of a secret, only that it has changed."""
    secret = {*_secrets(resource)}
    changes: dict[str, tuple[Any, Any]] = {}
    for name in dict.fromkeys([*before, *after]):
        was, now = before.get(name), after.get(name)
        if was == now or (was in _EMPTY and now in _EMPTY):
            continue
        if name in secret:
            changes[name.removesuffix("_hash")] = (None, CHANGED)
        else:
            changes[name] = (was, now)
    return changes


_EMPTY: tuple[Any, ...] = (None, "", [], {})


def record(
    context: RequestContext,
    resource: Resource,
    row: BaseModel,
    action: str,
    changes: Changes,
    *,
    name: str | None = None,
) -> None:
    """Add the write to the audit log. `name`: the resource, if the row is of another one."""
    is_gone = isinstance(row, User) and action == "delete"
    audit.add(
        context.actor,
        name or resource.name,
        getattr(row, f"{resource.key}_id", None) or row.id,
        action,
        changes,
        owner_id=None if is_gone else visibility.owner_of(row),
    )


def asked(values: Mapping[str, Any]) -> Changes:
    """Return the fields of an action's or a task's body as changes."""
    return {name: (None, plain(value)) for name, value in values.items() if value not in _EMPTY}


def plain(value: Any) -> Any:
    """Return a value for JSON."""
    if isinstance(value, BaseModel):
        return value.id
    if isinstance(value, datetime):
        try:
            return stamp(value) if value.tzinfo else value.isoformat()
        except OverflowError:  # the last day of the calendar, in another zone
            return value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + "..."
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple | dict):
        text = json.dumps(value, default=str, ensure_ascii=False)
        return json.loads(text) if len(text) <= LONGEST else text[:LONGEST] + "..."
    return str(value)


def _secrets(resource: Resource) -> list[str]:
    hashes = [f"{name}_hash" for name in marked(resource.form or Form, Secret)]
    return [*resource.secrets, *hashes]
