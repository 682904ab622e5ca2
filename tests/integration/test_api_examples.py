"""Each example body of the document works as it stands, on a new installation."""

from typing import Any

import pytest

from telealarm.api.app import RESOURCES, TASKS
from telealarm.api.openapi import document
from tests.integration.api_client import Api, id_of

DOCUMENT = document.written(RESOURCES, TASKS)

# What an example names by the id 1 comes before it. A row is changed right after it is made.
ORDER = (
    *("users", "gateway", "sms-gateway", "survey-template", "section-template"),
    *("branching-template", "survey-template/1/seal", "calendar-setting", "calendar-user"),
    *("calendar-user-profile", "calendar", "rule", "webhook", "person", "event", "alarm"),
    *("alarm-request", "dnc-list", "dnc-contact", "mail-template", "sms-template"),
)
FILES = "multipart/form-data"
# They have no body. There is no delivery before an alarm has gone out, nothing to confirm before a
# feed was read, and no feed is read without the service.
LATER = ("/redeliver/", "calendar-feed/{id}/confirm/", "calendar-feed/{id}/preview/")


def writes() -> list[tuple[str, str, dict[str, Any] | None]]:
    """Every write of the document, in an order that works: its path, its method, its example."""
    found = []
    for path, item in DOCUMENT["paths"].items():
        for method in ("post", "put", "patch"):
            content = item.get(method, {}).get("requestBody", {}).get("content", {})
            if method in item and FILES not in content and not path.endswith(LATER):
                example = content.get("application/json", {}).get("example")
                found.append((path.replace("{id}", "1"), method, example))

    def place(write: tuple[str, str, Any]) -> int:
        path = write[0].removeprefix("/rest-api/").strip("/")
        path = path.removesuffix("/1")
        return ORDER.index(path) if path in ORDER else len(ORDER)

    return sorted(found, key=place)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
@pytest.mark.parametrize("user", ["root", "manager"])
async def test_each_example_works_as_it_stands(api: Api, user: str) -> None:
    new: dict[str, str] = {}
    tried = set()
    for path, method, example in writes():
        guarded = {"users", "gateway", "sms-gateway", "dialing"} & set(path.split("/"))
        # Of users and rules, there are some at the beginning: what is changed is the new one.
        real = new.get(path.removesuffix("1/"), path)
        reply = await api.send(method.upper(), real, example, user="root" if guarded else user)
        assert reply.status in (200, 201), f"{method} {path}: {reply.text}"
        tried.add(path)
        if reply.status == 201 and path.count("/") == 3:
            new[path] = reply.headers["Location"]
            assert id_of(new[path]) == {"/rest-api/users/": 4, "/rest-api/rule/": 7}.get(path, 1)
    assert len(tried) > 40


async def test_the_address_alone_leads_to_the_explorer(api: Api) -> None:
    for method in ("GET", "HEAD"):
        reply = await api.send(method, "/", user=None)
        assert (reply.status, reply.headers["Location"]) == (302, "/rest-api/")
