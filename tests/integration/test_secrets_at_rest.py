"""Who has the database without the key file has no secret; an old database is protected at once."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from telealarm import models
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import ConfigError
from telealarm.models import Installation, SmsGateway, User, Webhook
from telealarm.rules import signed_links
from telealarm.rules.signed_links import Link
from telealarm.store.access import passwords, tokens
from telealarm.store.engine.database import Database
from telealarm.store.open import open_database
from tests.integration.api_client import PASSWORD, Api
from tests.integration.test_old_database import copied, read

GATEWAY = {
    "name": "provider",
    "kind": "http",
    "settings": {
        "url": "https://sms.example.com/send",
        "headers": {"Authorization": "Bearer provider-password-4711"},
        "body": '{"to": "{to}", "text": "{text}"}',
    },
}


def everything(db: Database) -> str:
    """All that is in the tables."""

    def dump() -> str:
        rows = []
        for model in models.ALL:
            table = model._meta.table_name
            rows += [str(row) for row in db.peewee.execute_sql(f'SELECT * FROM "{table}"')]
        return "\n".join(rows)

    return db.look(dump)


async def secrets_of(api: Api) -> list[str]:
    """Make a secret of each kind; their plain values."""
    hook = await api.made("webhook/", {"target_url": "https://example.com/"})
    rotated = await api.post(
        f"{hook['url']}rotate_secret/", headers={"Idempotency-Key": "my-order"}
    )
    gateway = await api.made("sms-gateway/", GATEWAY, user="root")
    addresses = [gateway["inbound_url"]]
    renewed = await api.post(f"{gateway['url']}rotate_secret/", user="root")
    addresses.append(renewed.body["inbound_url"])
    body = {"name": "A confidential name"}
    await api.post("survey-template/", body, headers={"Idempotency-Key": "other-order"})
    login = await api.db.read(lambda: User.get(User.username == "manager"))
    token = await api.db.write(tokens.add, login, "program")
    link_key = await api.db.read(lambda: Installation.get().secret)
    return [
        hook["secret"],
        rotated.body["secret"],
        "provider-password-4711",
        *(address.split("/")[-3] for address in addresses),
        "my-order",
        "other-order",
        token,
        link_key,
        "$argon2",
    ]


async def test_no_secret_is_in_the_database_in_clear(api: Api, db: Database) -> None:
    found = await secrets_of(api)
    assert all(len(secret) >= 7 for secret in found)
    content = everything(db)
    assert "A confidential name" in content.replace("idempotency", "")
    assert [secret for secret in found if secret in content] == []
    # The answer that is kept holds the name, too; only the row itself may show it.
    assert content.count("A confidential name") <= 2, "the row, and its audit entry"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_an_old_database_is_protected_when_it_is_opened(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    address = copied(kind, request, tmp_path)
    before = raw(address)
    config = Config(database=address, base=tmp_path, key_file=str(tmp_path / "new.key"))
    db = open_database(config)

    def plain() -> dict[str, Any]:
        return {
            "links": [Installation.get().secret],
            "hooks": [hook.secret for hook in Webhook.select().order_by(Webhook.id)],
            "gateways": [row.secret for row in SmsGateway.select().order_by(SmsGateway.id)],
            "settings": [row.settings for row in SmsGateway.select().order_by(SmsGateway.id)],
        }

    assert db.look(plain) == before
    content = everything(db)
    secret = [*before["links"], *before["hooks"], *before["gateways"], "$argon2"]
    assert len(secret) >= 4
    assert [one for one in secret if one in content] == []
    # It is done once: the second time, nothing is encrypted again.
    db = open_database(config)
    assert db.look(plain) == before
    # A link that was sent before the change still works.
    link = Link("confirm", 1, utcnow() + timedelta(days=1))
    old = signed_links.token(before["links"][0], link)
    assert db.look(lambda: signed_links.read(Installation.get().secret, old)) is not None
    # Without its key file, nobody opens it again.
    config.key_path.unlink()
    with pytest.raises(ConfigError, match="is not there"):
        open_database(config)


def raw(address: str) -> dict[str, Any]:
    """The secrets of a database of version 0.1, as they are in it."""
    queries = {
        "links": "SELECT secret FROM installation",
        "hooks": "SELECT secret FROM webhook ORDER BY id",
        "gateways": "SELECT secret FROM sms_gateway ORDER BY id",
        "settings": "SELECT settings FROM sms_gateway ORDER BY id",
    }
    path = address.removeprefix("sqlite:///")
    connection: Any = sqlite3.connect(path) if path != address else psycopg.connect(address)
    with closing(connection):
        found = {
            name: [row[0] for row in connection.execute(query).fetchall()]
            for name, query in queries.items()
        }
    found["settings"] = [
        json.loads(one) if isinstance(one, str) else one for one in found["settings"]
    ]
    return found


async def test_a_login_and_a_token_work_with_their_key_only(db: Database) -> None:
    def check() -> tuple[bool, bool, bool]:
        user = User.get(User.username == "manager")
        right = passwords.matches(PASSWORD, user.password_hash)
        wrong = passwords.matches("wrong password", user.password_hash)
        return right, wrong, passwords.matches(PASSWORD, None)

    assert await db.read(check) == (True, False, False)
    assert not passwords.matches(PASSWORD, "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$" + "a" * 43)


def test_the_old_data_holds_what_is_looked_for() -> None:
    assert "whsec_" in read("sqlite.sql") and "$argon2" in read("sqlite.sql")
