"""A client of the API without HTTP. It makes every check of the API.

The import, the examples and the inbound doors use it. It works in the caller's transaction.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from telealarm.api.app import RESOURCES
from telealarm.api.core.links import Links
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Form, Sent, marked
from telealarm.api.fields.texts import Secret
from telealarm.api.rest import write
from telealarm.api.rest.resource import Resource
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.models import BaseModel, User
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.access import passwords, visibility
from telealarm.store.audit import Actor
from telealarm.store.survey.audio_files import AudioFolder
from telealarm.store.survey.voice_messages import VoiceMessages

Body = Mapping[str, Any]

_RESOURCES = {resource.name: resource for resource in RESOURCES}


class LocalClient:
    """Writes rows for one login. The audit log names the `writer`.

    If the body of a new row has no password, it gets a random one.

    The methods raise the errors of the API: ApiError if the login lacks the permission, Invalid,
    Conflict, NotVisible.
    """

    def __init__(self, config: Config, login: User, writer: Actor) -> None:
        self.login = login
        self._context = RequestContext(
            login=login,
            links=Links(""),
            path="",
            query={},
            now=utcnow(),
            recordings=AudioFolder(config.path(config.prompts.folder)),
            voice_messages=VoiceMessages(config.path(config.recordings.folder)),
            guard=UrlGuard(config.webhooks.allow),
            feeds=config.feeds,
            writer=writer,
        )

    def create(self, name: str, body: Body, related: Body | None = None) -> BaseModel:
        """Return the row that `POST name/` creates from `body`.

        `related` holds rows for relations of the body, if the caller has them already.
        """
        resource = self._allowed(name, "POST")
        sent = _new(resource, body, related or {})
        owner_id = write.check_new(self._context, resource, sent)
        return self._insert(resource, sent, owner_id)

    def create_all(self, name: str, news: Sequence[tuple[Body, Body]]) -> Sequence[BaseModel]:
        """Return the row that `POST name/` creates from each body, with its `related` rows.

        Raises what is wrong with one of them: then none is created.
        """
        resource = self._allowed(name, "POST")
        sent = [_new(resource, body, related) for body, related in news]
        return write.create_all(resource, [(self._context, one) for one in sent])

    def keep_or_create(self, name: str, body: Body, same: Sequence[str]) -> tuple[BaseModel, bool]:
        """Return a row, and whether it is new.

        If a row of the login has the same values in the `same` fields, it is that row.
        """
        resource = self._allowed(name, "POST")
        sent = _new(resource, body, {})
        owner_id = write.check_new(self._context, resource, sent)
        query = visibility.rows(self.login, resource.model)
        for field in same:
            query = query.where(getattr(resource.model, field) == sent.values[field])
        if "owner" in resource.model._meta.fields:
            query = query.where(resource.model._meta.fields["owner"] == owner_id)
        row = query.order_by(resource.model.id).get_or_none()
        if row is not None:
            return row, False
        return self._insert(resource, sent, owner_id), True

    def change(self, name: str, key: int, body: Body) -> BaseModel:
        """Return the row after `PATCH name/key/`."""
        resource = self._allowed(name, "PATCH")
        sent = write.read(resource, body, partial=True)
        _hash_passwords(sent)
        return write.change(self._context, resource, sent, key)

    def act(self, name: str, key: int, action_name: str, body: Body | None = None) -> Any:
        """Return the answer of the action `name/key/action_name/`."""
        resource = _resource(name)
        action = next((item for item in resource.actions if item.name == action_name), None)
        if action is None:
            raise TeleAlarmError(f"{name} has no {action_name}/")
        write.check_allowed(self.login, resource, action.method)
        sent = write.read_action(action, body or {})
        return write.act(self._context, resource, action, sent, key)

    def _insert(self, resource: Resource, sent: Sent, owner_id: int) -> BaseModel:
        _hash_passwords(sent)
        return write.insert(self._context, resource, sent, owner_id)

    def _allowed(self, name: str, method: str) -> Resource:
        resource = _resource(name)
        if method not in {*resource.methods, *resource.row_methods}:
            raise TeleAlarmError(f"{name}/ takes no {method}")
        write.check_allowed(self.login, resource, method)
        return resource


def _resource(name: str) -> Resource:
    if name not in _RESOURCES:
        raise TeleAlarmError(f"the API has no {name}/")
    return _RESOURCES[name]


def _new(resource: Resource, body: Body, related: Body) -> Sent:
    """Return the fields of a new row, with the `related` rows instead of links."""
    body = {**body, **{name: row.id for name, row in related.items()}}
    for name in marked(resource.form or Form, Secret):
        if body.get(name) is None:
            body[name] = secrets.token_urlsafe()
    sent = write.read(resource, body, partial=False)
    sent.values.update(related)
    return sent


def _hash_passwords(sent: Sent) -> None:
    for column, password in write.take_passwords(sent):
        sent.values[column] = passwords.hashed(password)
