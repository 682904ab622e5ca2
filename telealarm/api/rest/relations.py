"""Relations: replaces ids with rows. The login must see them, and all must have one owner."""

from collections.abc import Iterator, Sequence

from telealarm.api.core.links import MODELS
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Sent, marked
from telealarm.api.fields.relation import Relation
from telealarm.errors import NotVisible
from telealarm.models import BaseModel, User
from telealarm.store.access import visibility


def look_up(news: Sequence[tuple[RequestContext, Sent]]) -> None:
    """Replace the ids of many new rows with rows, as far as their logins see them.

    Requests that name the same row get the same object. `resolve` reports what is missing.
    """
    wanted: dict[tuple[int, str], set[int]] = {}
    for context, sent, name, resource in _ids(news):
        wanted.setdefault((context.user_id, resource), set()).add(sent.values[name])
    logins = {context.user_id: context.login for context, _ in news}
    found = {
        (user_id, resource): visibility.find_all(logins[user_id], MODELS[resource], ids)
        for (user_id, resource), ids in wanted.items()
    }
    for context, sent, name, resource in _ids(news):
        row = found[context.user_id, resource].get(sent.values[name])
        if row is not None:
            sent.values[name] = row


def _ids(
    news: Sequence[tuple[RequestContext, Sent]],
) -> Iterator[tuple[RequestContext, Sent, str, str]]:
    """Yield each relation that is an id, with its resource."""
    for context, sent in news:
        for name, relation in marked(sent.form, Relation).items():
            if isinstance(sent.values.get(name), int):
                yield context, sent, name, relation.resource


def resolve(login: User, sent: Sent, row: BaseModel | None) -> None:
    """Replace ids with rows. If the login does not see a row, its field gets an error.

    A row that `row` refers to already is allowed, so that a client can write back what it read. A
    relation that is a row already stays unchanged.
    """
    for name, relation in marked(sent.form, Relation).items():
        row_id = sent.values.get(name)
        if row_id is None or isinstance(row_id, BaseModel):
            continue
        if row is not None and getattr(row, f"{name}_id", None) == row_id:
            sent.values[name] = getattr(row, name)
            continue
        try:
            sent.values[name] = visibility.find(login, MODELS[relation.resource], row_id)
        except NotVisible:
            sent.errors[name] = [relation.missing(row_id)]


def check_owner(sent: Sent, owner_id: int | None) -> None:
    """Give each related row of another owner an error.

    A superuser sees rows of many owners, but one row must not mix owners.
    """
    if owner_id is None:
        return
    for name, relation in marked(sent.form, Relation).items():
        related = sent.values.get(name)
        if name not in sent.errors and related is not None:
            of = visibility.owner_of(related)
            if of is not None and of != owner_id:
                sent.errors[name] = [relation.missing(related.id)]
