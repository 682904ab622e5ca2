"""The OpenAPI document says what the API does, about every route of it."""

import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from telealarm.api.app import RESOURCES, TASKS, make_app
from telealarm.api.fields.base import FieldType
from telealarm.api.openapi import document
from telealarm.config.model import Config
from telealarm.store.engine.database import Database
from tests.integration.api_client import Api, id_of
from tests.integration.test_api_tenants import all_of_it

DOCUMENT = document.written(RESOURCES, TASKS)
VERBS = {"get", "post", "put", "patch", "delete"}


def check(name: str, value: Any) -> None:
    """Raise where `value` is not what the document says of this schema."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(value)


def reply_schema(path: str, method: str, status: int) -> dict[str, Any]:
    reply = DOCUMENT["paths"][path][method]["responses"][str(status)]
    if "$ref" in reply:
        reply = DOCUMENT["components"]["responses"][reply["$ref"].rsplit("/", 1)[1]]
    schema = reply["content"]["application/json"]["schema"]
    return {**schema, "components": DOCUMENT["components"]}


async def test_it_is_valid_and_read_without_a_login(api: Api) -> None:
    reply = await api.get("openapi.json", user=None)
    assert reply.status == 200
    assert reply.body == DOCUMENT
    validate(reply.body)
    assert set(reply.body["components"]["securitySchemes"]) == {"basic", "bearer"}


async def test_every_route_and_method_is_in_it(api: Api) -> None:
    ids = await all_of_it(api, "manager")
    for path, item in DOCUMENT["paths"].items():
        name = next((p["x-relation"] for p in item.get("parameters", ())), "")
        real = path.replace("{id}", str(id_of(ids[name])) if name in ids else "1")
        reply = await api.send("OPTIONS", real, user="root")
        allowed = {word.lower() for word in re.split(", ?", reply.headers["Allow"])}
        assert reply.status == (200 if "options" in allowed else 405), path
        assert allowed - {"head", "options"} == VERBS & item.keys(), path
        said = re.findall(r"\b[A-Z]{3,}\b", item["description"])
        assert allowed == {word.lower() for word in said}, path
        if "get" in allowed:
            assert "head" in allowed, path
            head = await api.send("HEAD", real, user="root")
            missing = name in ("callrequest", "result", "transfer", "message", "erasure")
            assert (head.status, head.text) == (404 if missing else 200, ""), path
        wrong = await api.send("PROPFIND", real, user="root")
        assert (wrong.status, wrong.headers["Allow"]) == (405, reply.headers["Allow"]), path


def test_every_registered_path_is_in_it(db: Database, config: Config) -> None:
    async def ready() -> dict[str, str]:
        return {}

    app = make_app(db, config, readiness=ready, prompts=Path())
    paths = {route.resource.canonical for route in app.router.routes() if route.resource}
    own = {"/", "/rest-api/openapi.json", "/rest-api/explorer/{name}", "/prompts/{name}{suffix}"}
    # What SMS gateways call, and what the recipient of a mail opens: no part of the API.
    own |= {f"/hooks/sms/{{gateway}}/{{secret}}/{what}/" for what in ("inbound", "report")}
    own |= {"/links/{token}"}
    assert own <= paths
    assert paths - own == set(DOCUMENT["paths"])


def test_every_post_says_how_it_is_sent_again() -> None:
    posts = [(path, item["post"]) for path, item in DOCUMENT["paths"].items() if "post" in item]
    assert len(posts) > 20
    for path, post in posts:
        (key,) = [one for one in post["parameters"] if one["in"] == "header"]
        assert (key["name"], key.get("required", False)) == ("Idempotency-Key", False), path
        good = [reply for status, reply in post["responses"].items() if status < "300"]
        assert ["Idempotent-Replayed" in reply["headers"] for reply in good] == [True], path
        assert {"400", "409"} <= post["responses"].keys(), path
    others = [item[verb] for item in DOCUMENT["paths"].values() for verb in VERBS & item.keys()]
    keyed = [one for one in others if "Idempotency-Key" in str(one.get("parameters"))]
    assert len(keyed) == len(posts)


def test_every_kind_of_field_says_what_it_takes() -> None:
    silent = [
        f"{resource.name}.{name}"
        for resource in RESOURCES
        for form in (resource.form, *(action.form for action in resource.actions))
        if form is not None
        for name, info in form.model_fields.items()
        for mark in info.metadata
        if isinstance(mark, FieldType) and not mark.schema()
    ]
    assert silent == []


def test_its_patterns_are_regular_expressions_and_its_examples_are_right() -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("pattern"), str):
                re.compile(value["pattern"])
            for example in value.get("examples", ()) if "anyOf" in value else ():
                Draft202012Validator(value).validate(example)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(DOCUMENT)
    for item in DOCUMENT["paths"].values():
        for method in VERBS & item.keys():
            body = item[method].get("requestBody")
            if body and "example" in body["content"].get("application/json", {}):
                media = body["content"]["application/json"]
                check(media["schema"]["$ref"].rsplit("/", 1)[1], media["example"])


async def test_replies_have_the_shapes_that_it_says(api: Api) -> None:
    mine = await all_of_it(api, "manager")
    for resource in RESOURCES:
        base = f"/rest-api/{resource.name}/"
        if resource.listed:
            reply = await api.get(base, user="root")
            Draft202012Validator(reply_schema(base, "get", 200)).validate(reply.body)
        if resource.name not in mine:
            continue
        shown = (await api.get(mine[resource.name], user="root")).body
        schema = reply_schema(base + "{id}/", "get", 200)
        Draft202012Validator(schema).validate(shown)
        said = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        assert said["properties"].keys() - resource.once_shown.keys() == shown.keys(), resource.name
        for action in resource.actions:
            path = f"{base}{{id}}/{action.name}/"
            of = DOCUMENT["paths"][path]["parameters"][0]["x-relation"]
            body = {"status": 3} if action.method == "PATCH" else None
            real = path.replace("{id}", str(id_of(mine[of])))
            if action.media != "application/json":
                continue
            reply = await api.send(action.method, real, body)
            schema = reply_schema(path, action.method.lower(), reply.status)
            Draft202012Validator(schema).validate(reply.body)
