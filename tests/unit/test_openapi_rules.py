"""The rules of the OpenAPI document that generators of clients depend on.

Generators drop a call, or write a client that does not compile, for each of these. A new resource
keeps the rules if its reply is made of the parts in fields/json_schema.py.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from telealarm.api.app import RESOURCES, TASKS
from telealarm.api.openapi import document
from telealarm.api.openapi.naming import Components

DOCUMENT = json.loads(json.dumps(document.written(RESOURCES, TASKS)))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
TYPES = {"string": str, "integer": int, "boolean": bool, "number": float}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method in document.METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is sent and what comes back: its media type, and its part of the document."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for reply in operation["responses"].values():
        yield from reply.get("content", {}).items()


def schemas(part: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a part of the document, with its place."""
    yield where, part
    for name, inner in part.get("properties", {}).items():
        yield from schemas(inner, f"{where}.{name}")
    for number, inner in enumerate(part.get("anyOf", ())):
        yield from schemas(inner, f"{where}|{number}")
    for name in ("items", "additionalProperties"):
        if isinstance(part.get(name), dict):
            yield from schemas(part[name], f"{where}.{name}")


def every_schema() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in SCHEMAS.items():
        yield from schemas(schema, name)
    for name, operation in operations():
        for parameter in operation.get("parameters", ()):
            yield from schemas(parameter["schema"], f"{name} ?{parameter['name']}")
        for media, content in contents(operation):
            yield from schemas(content["schema"], f"{name} {media}")


def test_every_operation_has_a_tag_and_a_description_and_a_name_of_its_own() -> None:
    tags = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert [name for name, about in tags.items() if not about.strip()] == []
    names = []
    for where, operation in operations():
        assert len(operation["tags"]) == 1, where
        assert operation["tags"][0] in tags, where
        assert operation["summary"].strip(), where
        assert len(operation["description"]) > 20, where
        names.append(operation["operationId"])
    assert len(set(names)) == len(names)
    assert {tag for _, operation in operations() for tag in operation["tags"]} == set(tags)


def test_a_closed_set_has_one_type_and_names_for_its_values() -> None:
    for where, schema in every_schema():
        assert "const" not in schema, f"{where}: write an enum of one value"
        if "enum" in schema:
            kind = TYPES[schema["type"]]
            assert all(type(value) is kind for value in schema["enum"]), where
            names = schema["x-enum-varnames"]
            assert len(set(names)) == len(names) == len(schema["enum"]), where
            assert all(name.isidentifier() for name in names), where


def test_a_schema_has_one_type_beside_null() -> None:
    for where, schema in every_schema():
        kinds = schema.get("type")
        if isinstance(kinds, list):
            assert len(kinds) == 2, where
            assert kinds[1] == "null", where
        if kinds == "array" or (isinstance(kinds, list) and "array" in kinds):
            assert "items" in schema, f"{where}: what are its items?"
        if kinds == "object":
            assert schema.keys() & {"properties", "additionalProperties"}, f"{where}: of what?"
            if "properties" in schema:  # TypeScript: a name of its own must fit the others' type
                assert isinstance(schema.get("additionalProperties", False), bool), where
        assert "oneOf" not in schema, where
        assert "allOf" not in schema, where
        # openapi-typescript takes a field with a default for required.
        assert "default" not in schema, where


def test_an_object_and_a_closed_set_are_components() -> None:
    for where, schema in every_schema():
        if where not in SCHEMAS:
            assert not schema.keys() & {"enum", "properties"}, f"{where} has no name"


def test_what_is_sent_as_json_is_a_component_with_an_example_that_fits() -> None:
    for where, operation in operations():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None:
            continue
        name = body["schema"]["$ref"].rsplit("/", 1)[1]
        schema = {**SCHEMAS[name], "components": DOCUMENT["components"]}
        assert "example" in body, f"{where}: give it an example"
        Draft202012Validator(schema).validate(body["example"])


def test_names_of_components_are_names_of_classes() -> None:
    for part in ("schemas", "responses"):
        for name in DOCUMENT["components"][part]:
            assert name.isidentifier(), name
            assert name[0].isupper(), name


def test_two_schemas_of_one_name_are_refused() -> None:
    components = Components()
    words = {"type": "string", "enum": ["red", "blue"]}
    components.add({"Lamp": {"type": "object", "properties": {"light": words}}})
    assert components.schemas["LampLight"]["x-enum-varnames"] == ["RED", "BLUE"]
    fewer = {"type": "string", "enum": ["red"]}
    with pytest.raises(ValueError, match="LampLight: give one a `title`"):
        components.add({"LampNew": {"type": "object", "properties": {"light": fewer}}})
    titled = {**fewer, "title": "NewLight"}
    components.add({"LampNew": {"type": "object", "properties": {"light": titled}}})
    assert components.schemas["NewLight"]["enum"] == ["red"]
