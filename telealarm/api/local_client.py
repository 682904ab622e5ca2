"""Writes rows as a login's requests would, with every check of the API, but without HTTP.

For the command line. All of it runs within the caller's transaction.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from telealarm.api.app import RESOURCES
from telealarm.api.core.links import Links
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Form, Sent, marked, read
from telealarm.api.fields.texts import Secret
from telealarm.api.rest import relations
from telealarm.api.rest.resource import Resource
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Invalid, TeleAlarmError
from telealarm.models import BaseModel, User
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.access import passwords, visibility
from telealarm.store.survey.audio_files import AudioFolder
from telealarm.store.survey.voice_messages import VoiceMessages

Body = Mapping[str, Any]

_RESOURCES = {resource.name: resource for resource in RESOURCES}


class LocalClient:
    """Writes for one login. A secret that a body leaves out is made up, and known to nobody."""

    def __init__(self, config: Config, login: User) -> None:
        self.login = login
        self._visit = RequestContext(
            login=login,
            links=Links(""),
            path="",
            query={},
            now=utcnow(),
            recordings=AudioFolder(config.path(config.prompts.folder)),
            voice_messages=VoiceMessages(config.path(config.recordings.folder)),
            guard=UrlGuard(config.webhooks.allow),
        )

    def create(self, name: str, body: Body, related: Body | None = None) -> BaseModel:
        """The new row that `POST name/` makes of `body`. Raises Invalid, Conflict.

        `related` are rows that relations of the body name, where the caller has them.
        """
        resource = _of(name)
        return self._create(resource, self._sent(resource, body, related or {}))

    def keep_or_create(self, name: str, body: Body, same: Sequence[str]) -> tuple[BaseModel, bool]:
        """The login's row that has these fields of the body, else a new one; whether it is new."""
        resource = _of(name)
        sent = self._sent(resource, body)
        query = visibility.rows(self.login, resource.model)
        for field in same:
            query = query.where(getattr(resource.model, field) == sent.values[field])
        if "owner" in resource.model._meta.fields:
            query = query.where(resource.model._meta.fields["owner"] == self.login.id)
        found = query.order_by(resource.model.id).get_or_none()
        if found is not None:
            return found, False
        return self._create(resource, sent), True

    def change(self, name: str, key: int, body: Body) -> BaseModel:
        """The row that `PATCH name/key/` leaves. Raises Invalid, Conflict, NotVisible."""
        resource = _of(name)
        assert resource.change is not None
        row = visibility.find(self.login, resource.model, key, by=resource.key)
        sent = read(_form(resource), body, read_only=resource.read_only, partial=True)
        relations.resolve(self.login, sent, row)
        relations.check_owner(sent, visibility.owner_of(row))
        if sent.errors:
            raise Invalid(sent.errors)
        if resource.weigh is not None:
            resource.weigh(
                self._visit, visibility.find(self.login, resource.model, row.id), sent.values
            )
        resource.change(self._visit, row, sent.values)
        return row

    def act(self, name: str, key: int, action: str, body: Body | None = None) -> Any:
        """What `POST name/key/action/` answers. Raises Invalid, Conflict, NotVisible."""
        resource = _of(name)
        found = next((one for one in resource.actions if one.name == action), None)
        if found is None:
            raise TeleAlarmError(f"{name} has no {action}/")
        row = visibility.find(self.login, resource.model, key, by=resource.key)
        sent = read(found.form or Form, body or {}, read_only=frozenset(), partial=False)
        if sent.errors:
            raise Invalid(sent.errors)
        return found.run(self._visit, row, sent.values)

    def _sent(self, resource: Resource, body: Body, related: Body | None = None) -> Sent:
        body = {**body, **{name: row.id for name, row in (related or {}).items()}}
        sent = read(_form(resource), body, read_only=resource.read_only, partial=False)
        for name in related or {}:
            sent.values.pop(name, None)
        relations.resolve(self.login, sent, None)
        sent.values.update(related or {})
        relations.check_owner(sent, self.login.id)
        if sent.errors:
            raise Invalid(sent.errors)
        return sent

    def _create(self, resource: Resource, sent: Sent) -> BaseModel:
        assert resource.create is not None
        values = dict(sent.values)
        for name in marked(sent.form, Secret):
            password = values.pop(name) or secrets.token_urlsafe()
            values[f"{name}_hash"] = passwords.hashed(password)
        if resource.weigh is not None:
            resource.weigh(self._visit, None, values)
        return resource.create(self._visit, self.login.id, values)


def _of(name: str) -> Resource:
    if name not in _RESOURCES:
        raise TeleAlarmError(f"the API has no {name}/")
    return _RESOURCES[name]


def _form(resource: Resource) -> type[Form]:
    assert resource.form is not None
    return resource.form
