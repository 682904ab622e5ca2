"""Writes a row of a resource: makes every check of the API, then inserts or changes the row.

This is the only way to write: for HTTP, the import, the examples and the inbound doors. The order:

1. `check_allowed`: check whether the login may write this resource.
2. `read`: read the body by the resource's form.
3. `weigh`, before the transaction: make the slow checks. If they were not made before, the
   transaction makes them.
4. `create`, `change`, `remove`, `act` or `carry_out`, within the writer's transaction. Each adds a
   row to the audit log.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from telealarm.api.core.errors import ApiError
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import form
from telealarm.api.fields.form import Form, Sent, marked
from telealarm.api.fields.texts import Secret
from telealarm.api.rest import audited, relations, url_guard
from telealarm.api.rest.resource import Action, Resource
from telealarm.api.rest.tasks import Task
from telealarm.errors import Invalid
from telealarm.models import BaseModel, User
from telealarm.store import audit
from telealarm.store.access import visibility
from telealarm.store.audit import CHANGED
from telealarm.store.engine import read_cache
from telealarm.store.engine.together import Together

# A request for a new row: its context, and the fields that it sent.
New = tuple[RequestContext, Sent]
Shown = dict[str, Any]

FORBIDDEN = "You do not have permission to perform this action."
_SAFE = ("GET", "HEAD", "OPTIONS")


def check_allowed(login: User, resource: Resource, method: str) -> None:
    """Raise ApiError with 403 if the login may not use this method of the resource."""
    if login.is_superuser or resource.superusers == "nothing":
        return
    if resource.superusers == "everything" or method not in _SAFE:
        raise ApiError(403, FORBIDDEN)


def read(resource: Resource, body: Mapping[str, Any], *, partial: bool) -> Sent:
    """Return the fields of the body, and its errors. `partial`: the body of a PATCH."""
    assert resource.form is not None
    sent = form.read(resource.form, body, read_only=resource.read_only, partial=partial)
    if not partial:
        sent.read_only = {}  # a PUT sends back what a GET showed
    return sent


def take_passwords(sent: Sent) -> list[tuple[str, str]]:
    """Remove the passwords from `sent`. Return the column of each hash, and the password."""
    names = [name for name in marked(sent.form, Secret) if name in sent.values]
    passwords = [(f"{name}_hash", sent.values.pop(name)) for name in names]
    return [(column, password) for column, password in passwords if password is not None]


def weigh(context: RequestContext, resource: Resource, sent: Sent, key: int | None) -> None:
    """Make the slow checks, for a new row or for the row `key`.

    The write reports wrong relations: it resolves them again, because they may have changed.
    """
    if resource.weigh is None or sent.errors:
        return
    trial = Sent(sent.form, dict(sent.values))
    row = None if key is None else _find(context, resource, key)
    relations.resolve(context.login, trial, row)
    if not trial.errors:
        resource.weigh(context, row, trial.values)
        sent.weighed = True


def create(context: RequestContext, resource: Resource, sent: Sent) -> BaseModel:
    """Return the new row. Raises Invalid with every mistake, Conflict."""
    return insert(context, resource, sent, check_new(context, resource, sent))


def answer_all(resource: Resource, news: Sequence[New]) -> list[Shown]:
    """Make the new row of each request, and return its reply. Raises what is wrong with one."""
    if not isinstance(resource.create, Together):
        return [_answer(resource, new, create(new[0], resource, new[1])) for new in news]
    with read_cache.remembering():
        rows = create_all(resource, news)
        return [_answer(resource, new, row) for new, row in zip(news, rows, strict=True)]


def create_all(resource: Resource, news: Sequence[New]) -> Sequence[BaseModel]:
    """Return the new row of each request. Raises what is wrong with one of them.

    If the resource makes its rows together, a crowd needs few statements.
    """
    if not isinstance(resource.create, Together):
        return [create(context, resource, sent) for context, sent in news]
    with audit.together():
        relations.look_up(news)
        steps = []
        for context, sent in news:
            owner_id = check_new(context, resource, sent)
            _weigh_late(context, resource, sent)
            steps.append((context, owner_id, sent.values))
        rows = resource.create.many(steps)
        for (context, _), row in zip(news, rows, strict=True):
            _record_new(context, resource, row)
        return rows


def _answer(resource: Resource, new: New, row: BaseModel) -> Shown:
    """Return the reply to the request that made the row."""
    context, _ = new
    seen = visibility.as_found(context.login, row)
    return {**resource.show(context, seen), **resource.once(row)}


def check_new(context: RequestContext, resource: Resource, sent: Sent) -> int:
    """Replace relations with rows. Return the id of the new row's owner.

    Raises Invalid with every mistake.
    """
    relations.resolve(context.login, sent, None)
    owner_id = _owner(context, resource, sent)
    relations.check_owner(sent, owner_id)
    url_guard.check(context, sent, None)
    _raise(sent)
    assert owner_id is not None
    return owner_id


def insert(context: RequestContext, resource: Resource, sent: Sent, owner_id: int) -> BaseModel:
    """Insert and return the new row. `check_new` must have checked `sent`."""
    assert resource.create is not None
    _weigh_late(context, resource, sent)
    row = resource.create(context, owner_id, sent.values)
    _record_new(context, resource, row)
    return row


def _weigh_late(context: RequestContext, resource: Resource, sent: Sent) -> None:
    """Make the slow checks of a new row, if they were not made before."""
    if resource.weigh is not None and not sent.weighed:
        resource.weigh(context, None, sent.values)


def _record_new(context: RequestContext, resource: Resource, row: BaseModel) -> None:
    changes = audited.changed(resource, {}, audited.shown(context, resource, row))
    audited.record(context, resource, row, "create", changes)


def change(context: RequestContext, resource: Resource, sent: Sent, key: int) -> BaseModel:
    """Return the changed row. Raises NotVisible, Invalid with every mistake, Conflict."""
    assert resource.change is not None
    row = _find(context, resource, key)
    relations.resolve(context.login, sent, row)
    relations.check_owner(sent, visibility.owner_of(row) or context.user_id)
    url_guard.check(context, sent, row)
    for name, why in resource.not_by_patch.items():
        if name in sent.read_only and str(sent.read_only[name]) != str(getattr(row, name)):
            sent.errors[name] = [why]
    _raise(sent)
    if resource.weigh is not None and not sent.weighed:
        # Use another copy of the row: the checks may set the new values on it.
        resource.weigh(context, _find(context, resource, key), sent.values)
    names = set(sent.values)
    before = audited.shown(context, resource, row, names)
    resource.change(context, row, sent.values)
    changes = audited.changed(resource, before, audited.shown(context, resource, row, names))
    if resource.upload in names:
        changes = {**changes, resource.upload: (None, CHANGED)}
    if changes:
        audited.record(context, resource, row, "change", changes)
    return row


def remove(context: RequestContext, resource: Resource, key: int) -> None:
    """Delete the row. Raises NotVisible, Conflict."""
    assert resource.delete is not None
    row = _find(context, resource, key)
    before = audited.shown(context, resource, row)
    resource.delete(context, row)
    audited.record(context, resource, row, "delete", audited.changed(resource, before, {}))


def read_action(action: Action, body: Mapping[str, Any]) -> Sent:
    """Return the fields of an action's body, and its errors."""
    return form.read(action.form or Form, body, read_only=frozenset(), partial=False)


def act(
    context: RequestContext, resource: Resource, action: Action, sent: Sent, row_id: int
) -> Any:
    """Return the answer of the action, or the id of its order.

    Raises NotVisible, Invalid, Conflict.
    """
    row = visibility.find(context.login, action.of or resource.model, row_id)
    relations.resolve(context.login, sent, None)
    _raise(sent)
    if action.ordered:
        return action.run(context, row, sent.values).id
    if action.method == "GET" or not action.writes:
        return action.run(context, row, sent.values)
    asked = audited.asked(sent.values)
    before = audited.shown(context, resource, row)
    answer = action.run(context, row, sent.values)
    changes = audited.changed(resource, before, audited.shown(context, resource, row))
    audited.record(context, resource, row, action.name, {**asked, **changes})
    return answer


def carry_out(context: RequestContext, task: Task, sent: Sent) -> dict[str, Any]:
    """Return the answer of a task. Raises Invalid, Conflict."""
    relations.resolve(context.login, sent, None)
    _raise(sent)
    asked = audited.asked(sent.values)
    answer = task.run(context, sent.values)
    if task.method != "GET" and task.writes and not task.personal:
        noun, _, action = task.path.strip("/").rpartition("/")
        audit.add(context.actor, noun, None, action, asked, owner_id=None)
    return answer


def _find(context: RequestContext, resource: Resource, key: int) -> BaseModel:
    return visibility.find(context.login, resource.model, key, by=resource.key)


def _owner(context: RequestContext, resource: Resource, sent: Sent) -> int | None:
    """Return the id of a new row's owner, or None if the field that names it is wrong."""
    parent = sent.values.get(resource.parent or "")
    if isinstance(parent, BaseModel):
        return visibility.owner_of(parent) or context.user_id
    try:
        return resource.owner(context, sent.values)
    except Invalid as error:
        sent.errors.update(error.fields)
        return None


def _raise(sent: Sent) -> None:
    if sent.errors:
        raise Invalid(sent.errors)
