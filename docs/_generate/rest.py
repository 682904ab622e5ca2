"""reference/rest/, from the OpenAPI document: a page for each group of resources."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from docs._generate.markdown import code, fence, prose, table
from telealarm.api.app import RESOURCES, TASKS
from telealarm.api.core import links
from telealarm.api.fields.base import FieldType
from telealarm.api.openapi import document, error_replies
from telealarm.api.rest import body_schemas
from telealarm.api.rest.body_schemas import DEFAULT
from telealarm.api.rest.csv import LARGEST_SHEET

Schema = Mapping[str, Any]

# The pages: name, title, and the headings (tags) of the document that stand on it.
PAGES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "events",
        "Events and alarms",
        ("event", "rule", "alarm", "alarm-request", "reminder-plan", "plan"),
    ),
    ("calls", "Calls and answers", ("callrequest", "result", "transfer", "surveyaggregate")),
    (
        "surveys",
        "Surveys",
        (
            "survey-template",
            "section-template",
            "branching-template",
            "sealed-survey",
            "audio-files",
        ),
    ),
    (
        "calendars",
        "Calendars and their users",
        ("calendar", "calendar-feed", "calendar-user", "calendar-user-profile", "calendar-setting"),
    ),
    ("messages", "SMS and mail", ("message", "sms-template", "mail-template")),
    ("do-not-call", "Do not call, and persons", ("dnc-list", "dnc-contact", "person", "erasure")),
    ("webhooks", "Webhooks", ("webhook", "webhook-delivery")),
    (
        "operation",
        "Logins, gateways and operation",
        ("users", "gateway", "sms-gateway", "dialing", "audit", "service", "resources"),
    ),
)

INTRODUCTION = """\
# REST API

Every call, as the service's own OpenAPI document has it. The same document is at
`/rest-api/openapi.json`, and `/rest-api/` in a browser is an explorer with a form for every call.

{about}
## Logging in

By HTTP Basic (`curl -u name`), or with a token: `Authorization: Bearer ta_...`, see
[`telealarm token add`](../command-line.md#token-add). The probes on the page
[{probes}]({probes_page}) need no login.

## Lists

`GET` of a list answers `{{"count", "next", "previous", "results"}}`. Beside the filters of its
resource, each list takes:

{paging}
## What may go wrong

{errors}
## The resources

{resources}"""

# What a kind of field takes, in words, for what its schema alone does not tell.
KINDS: Mapping[str, str] = {
    "Clock": "time of day, `HH:MM[:SS]`",
    "JsonObject": "JSON object",
    "Moment": "date and time",
    "QueryMoment": "date and time",
    "Phone": "phone number",
    "Secret": "password",
    "Credential": "secret",
    "CredentialUrl": "secret",
    "Url": "http(s) address",
    "Zone": "IANA time zone",
}


def files() -> dict[str, str]:
    """The pages, by their paths."""
    return pages(document.written(RESOURCES, TASKS))


def pages(openapi: Schema) -> dict[str, str]:
    """The pages of this document. Raises ValueError for a tag that PAGES does not know."""
    known = [tag for _, _, tags in PAGES for tag in tags]
    tags = {tag["name"]: tag["description"] for tag in openapi["tags"]}
    if set(known) != set(tags) or len(known) != len(set(known)):
        raise ValueError(
            f"give each tag of the document a place in PAGES: {set(known) ^ set(tags)}"
        )
    writer = _Writer(openapi)
    result = {"reference/rest/index.md": writer.index(tags)}
    for name, title, listed in PAGES:
        sections = [writer.section(tag, tags[tag]) for tag in listed]
        result[f"reference/rest/{name}.md"] = "\n".join([f"# {title}\n", *sections])
    return result


_RESOURCES = frozenset(body_schemas.title(resource) for resource in RESOURCES)


class _Writer:
    def __init__(self, openapi: Schema) -> None:
        self._openapi = openapi
        self._schemas: Schema = openapi["components"]["schemas"]
        self._calls: dict[str, list[tuple[str, str, Schema]]] = {}
        for path, item in openapi["paths"].items():
            for method, operation in item.items():
                if isinstance(operation, dict) and "tags" in operation:
                    whose = list(item.get("parameters", ()))
                    call = {**operation, "parameters": [*whose, *operation.get("parameters", ())]}
                    self._calls.setdefault(operation["tags"][0], []).append(
                        (method.upper(), path, call)
                    )

    def index(self, tags: Mapping[str, str]) -> str:
        """The page that leads to the others."""
        rows = [
            (f"[{code(tag)}]({name}.md#{tag})", _about(tag, tags[tag]))
            for name, _, listed in PAGES
            for tag in listed
        ]
        responses = self._openapi["components"]["responses"]
        wrong = [
            (
                code(status),
                prose(responses[name]["description"]),
                ", ".join(map(code, responses[name]["headers"])),
            )
            for status, (name, _, _) in error_replies.ERRORS.items()
        ]
        some_list = self._calls["event"][0][2]["parameters"]
        paging = [
            self._parameter(parameter)
            for parameter in some_list
            if parameter["name"] in ("page", "page_size")
        ]
        sheet = (
            f"csv: for a spreadsheet. It has {LARGEST_SHEET} rows, or fewer if `page_size` says so."
        )
        paging.append((code("format"), f"{code('json')}, {code('csv')}", sheet))
        paging.append(
            (code("ordering"), "a field", "By what the list is ordered; `-` is downwards.")
        )
        probes, _, _ = next(page for page in PAGES if "service" in page[2])
        return INTRODUCTION.format(
            about=self._openapi["info"]["description"],
            probes=next(title for name, title, _ in PAGES if name == probes),
            probes_page=f"{probes}.md#service",
            paging=table(("parameter", "type", "meaning"), paging),
            errors=table(("status", "meaning", "headers"), wrong),
            resources=table(("resource", "what it is"), rows),
        )

    def section(self, tag: str, about: str) -> str:
        """What the document says of one resource."""
        calls = self._calls[tag]
        rows = [
            (f"{code(method)} {code(_short(path))}", prose(call["summary"]), self._remarks(call))
            for method, path, call in calls
        ]
        parts = [f"## {tag} {{#{tag}}}\n\n{_about(tag, about)}\n"]
        parts.append(table(("call", "what it does", ""), rows))
        parts += self._fields(calls)
        parts += self._filters(tag, calls)
        parts += [text for call in calls for text in self._action(tag, *call)]
        return "\n".join(parts)

    def _remarks(self, call: Schema) -> str:
        remarks = [] if call.get("security") != [] else ["without a login"]
        if "403" in call["responses"]:
            remarks.append("superusers only")
        return ", ".join(remarks)

    def _fields(self, calls: list[tuple[str, str, Schema]]) -> Iterator[str]:
        """The fields of the resource itself: of its reply, its POST, PUT and PATCH."""
        read = [call for _, _, call in calls if call.get("operationId", "").endswith("_read")]
        if not read:
            return
        reply = self._schema(_content(read[0]["responses"]["200"]))
        bodies = {
            verb: self._schema(_content(call["requestBody"]))
            for _, _, call in calls
            for verb in ("create", "replace", "change")
            if call["operationId"].endswith(f"_{verb}")
        }
        names = list(dict.fromkeys([*reply["properties"], *_properties(bodies.values())]))
        rows = []
        for name in names:
            ways = {v: body["properties"][name] for v, body in bodies.items() if _takes(body, name)}
            shown = reply["properties"].get(name)
            field = ways.get("create") or next(iter(ways.values()), None) or shown or {}
            rows.append(
                (
                    code(name),
                    self._type(field, shown),
                    _written(name, ways, bodies, shown is not None),
                    self._meaning(field) or self._meaning(shown or {}),
                )
            )
        yield "### Fields\n"
        yield table(("field", "type", "in a body", "meaning"), rows)
        example = next((call for method, _, call in calls if method == "POST"), None)
        if example is None or not example["operationId"].endswith("_create"):
            return
        body = example["requestBody"]["content"].get("application/json", {})
        if "example" in body:
            name = body["schema"]["$ref"].rsplit("/", 1)[1]
            text = json.dumps(body["example"], indent=2, ensure_ascii=False)
            yield "A body of a `POST`:\n"
            yield fence(f"json schema={name}", text)

    def _filters(self, tag: str, calls: list[tuple[str, str, Schema]]) -> Iterator[str]:
        """What the address of the list may say beside the paging."""
        listed = [call for _, _, call in calls if call.get("operationId", "").endswith("_list")]
        if not listed:
            return
        parameters = {parameter["name"]: parameter for parameter in listed[0]["parameters"]}
        rows = []
        for name, parameter in parameters.items():
            if name in ("page", "page_size", "format", "ordering") or "__" in name:
                continue
            endings = [other for other in parameters if other.startswith(f"{name}__")]
            _, words, meaning = self._parameter(parameter)
            rows.append((", ".join(map(code, [name, *endings])), words, meaning))
        orders = self._schema(parameters["ordering"]["schema"])["enum"]
        if rows:
            yield "### Filters\n"
            yield table(("filter", "type", "meaning"), rows)
        fields = [word for word in orders if not word.startswith("-")]
        yield f"`ordering`: {', '.join(map(code, fields))}, each also with `-` before it.\n"

    def _action(self, tag: str, method: str, path: str, call: Schema) -> Iterator[str]:
        """A call that is none of list, read, create, replace, change and delete."""
        ordinary = ("list", "read", "create", "replace", "change", "delete")
        if call["operationId"].endswith(tuple(f"_{verb}" for verb in ordinary)):
            return
        yield f"### {method} {code(_short(path))} {{#{method.lower()}-{call['operationId']}}}\n"
        yield prose(call["summary"]).rstrip(".") + ".\n"
        queries = [one for one in call["parameters"] if one["in"] == "query"]
        if queries:
            yield table(
                ("parameter", "type", "meaning"), [self._parameter(query) for query in queries]
            )
        if "requestBody" in call:
            reference = _content(call["requestBody"])
            body = self._schema(reference)
            rows = [
                (code(name), self._type(field), _need(name, field, body), self._meaning(field))
                for name, field in body.get("properties", {}).items()
            ]
            if rows:
                yield "In the body:\n"
                yield table(("field", "type", "", "meaning"), rows)
            content = next(iter(call["requestBody"]["content"].values()))
            if "example" in content:
                name = reference["$ref"].rsplit("/", 1)[1]
                text = json.dumps(content["example"], indent=2, ensure_ascii=False)
                yield fence(f"json schema={name}", text)
        yield from self._replies(call)

    def _replies(self, call: Schema) -> Iterator[str]:
        for status, reply in call["responses"].items():
            if "$ref" in reply or "content" not in reply:
                continue
            media, content = next(iter(reply["content"].items()))
            schema = content["schema"]
            said = prose(reply["description"]).rstrip(".")
            said = "" if reply["description"] == call["summary"] else f" {said}."
            if self._is_resource(schema):
                name = schema["$ref"].rsplit("/", 1)[1]
                yield f"`{status}`{said} The reply has the fields of {code(name)}.\n"
                continue
            rows = list(self._inner(schema))
            if not rows:
                words = _article(self._type(schema, media=media))
                yield f"`{status}`{said} The reply is {words}.\n"
                continue
            yield f"`{status}`{said} In the reply:\n"
            yield table(("field", "type", "meaning"), rows)

    def _inner(self, schema: Schema, prefix: str = "") -> Iterator[tuple[str, str, str]]:
        """The fields of a reply, those of the objects within it too."""
        schema = self._schema(schema)
        if schema.get("type") == "array":
            yield from self._inner(schema.get("items", {}), f"{prefix}[]." if prefix else "[].")
            return
        for name, field in schema.get("properties", {}).items():
            full = f"{prefix}{name}"
            yield code(full), self._type(field), self._meaning(field)
            inner = field.get("items", field)
            properties = self._schema(inner).get("properties")
            if properties and not self._is_resource(inner):
                deeper = f"{full}[]." if "items" in field else f"{full}."
                yield from self._inner(inner, deeper)

    def _schema(self, schema: Schema) -> Schema:
        """`schema`, or the component that it refers to, with what `schema` says beside it."""
        if "$ref" in schema:
            component: Schema = self._schemas[schema["$ref"].rsplit("/", 1)[1]]
            schema = {**component, **schema}
        if "anyOf" in schema:
            schema = {**schema, "anyOf": [self._schema(option) for option in schema["anyOf"]]}
        if "$ref" in schema.get("items", {}):
            schema = {**schema, "items": self._schema(schema["items"])}
        if DEFAULT in schema:  # has a column of its own
            about = re.sub(r" \(default: [^)]*\)$", "", schema["description"])
            schema = {**schema, "description": about}
        return schema

    def _is_resource(self, schema: Schema) -> bool:
        """Whether the schema is the reply of a resource, which has a section of its own."""
        return schema.get("$ref", "").rsplit("/", 1)[-1] in _RESOURCES

    def _parameter(self, parameter: Schema) -> tuple[str, str, str]:
        schema = parameter["schema"]
        meaning = prose(parameter.get("description", "")) or self._meaning(schema)
        return code(parameter["name"]), self._type(schema), meaning

    def _meaning(self, schema: Schema) -> str:
        """The description, without the sentence that only tells the kind."""
        schema = self._schema(schema)
        text = schema.get("description", "")
        _, sentence = _kind(text)
        text = text.removesuffix(sentence).strip()
        text = re.sub(r"A link to an? [a-z-]+, or its bare id\.$", "", text).strip()
        text = text.removesuffix(_choices(schema)).strip()
        return prose(text[:1].upper() + text[1:])

    def _type(self, schema: Schema, shown: Schema | None = None, media: str = "") -> str:
        """What values there are, in words. `shown`: of the reply, if it differs from the body."""
        schema = self._schema(schema)
        relation = schema.get("x-relation")
        if relation:
            words = f"link or id: [{code(relation)}]({_place(relation)})"
        elif _choices(schema):
            words = prose(_choices(schema))
        else:
            words = _words(schema, _kind(schema.get("description", ""))[0], media)
        null = _is_null(schema) or (shown is not None and _is_null(shown))
        return f"{words} or `null`" if null and words else words


def _about(tag: str, text: str) -> str:
    """What the document says about a resource, without the address that the heading has already.

    The text of a module with two resources names both, each with its address before it.
    """
    text = " ".join(text.split())
    parts = re.split(r"(?:^|(?<=\. ))([a-z-]+)/(?:\{[^}]*\}/)?: ", text)
    abouts = dict(zip(parts[1::2], parts[2::2], strict=True))
    sentence = abouts.get(tag, text).strip()
    return prose(sentence[:1].upper() + sentence[1:])


def _place(tag: str) -> str:
    name = next(name for name, _, tags in PAGES if tag in tags)
    return f"{name}.md#{tag}"


def _short(path: str) -> str:
    return path.removeprefix(links.BASE) or links.BASE


def _content(part: Schema) -> Schema:
    """The schema of a body or a reply."""
    schema: Schema = next(iter(part["content"].values()))["schema"]
    return schema


def _properties(bodies: Any) -> Iterator[str]:
    for body in bodies:
        yield from body["properties"]


def _takes(body: Schema, name: str) -> bool:
    """Whether writing the field has an effect."""
    field = body["properties"].get(name)
    return field is not None and not field.get("readOnly")


def _written(
    name: str, ways: Mapping[str, Schema], bodies: Mapping[str, Schema], shown: bool
) -> str:
    if not ways:
        return "read only"
    words = []
    if any(name in bodies[verb].get("required", ()) for verb in ways):
        words.append("required")
    default = next((field[DEFAULT] for field in ways.values() if DEFAULT in field), None)
    if default is not None and default != "":
        words.append(f"default {code(json.dumps(default, ensure_ascii=False))}")
    methods = {"create": "`POST`", "replace": "`PUT`", "change": "`PATCH`"}
    if set(ways) != set(bodies):
        words.append(f"{' and '.join(methods[verb] for verb in ways)} only")
    if not shown:
        words.append("never shown")
    return ", ".join(words)


def _need(name: str, field: Schema, body: Schema) -> str:
    if name in body.get("required", ()):
        return "required"
    default = field.get(DEFAULT)
    return f"default {code(json.dumps(default))}" if default not in (None, "") else ""


def _article(words: str) -> str:
    return words if words.startswith(("a ", "an ")) else f"a {words}"


def _is_null(schema: Schema) -> bool:
    kind = schema.get("type")
    options = schema.get("anyOf", ())
    return (
        kind == "null" or (isinstance(kind, list) and "null" in kind) or {"type": "null"} in options
    )


def _choices(schema: Schema) -> str:
    """`1 pending, 2 completed`: how the document describes numbers that have names."""
    options = [schema, *schema.get("anyOf", ())]
    values: list[Any] = next((option["enum"] for option in options if "enum" in option), [])
    text: str = schema.get("description", "")
    numbers = [value for value in values if isinstance(value, int)]
    if not numbers:
        return ""
    last = text.rsplit(". ", 1)[-1]
    return last if last.startswith(f"{numbers[0]} ") else ""


def _kinds(kind: type[FieldType] = FieldType) -> Iterator[type[FieldType]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _kinds(sub)


def _kind(description: str) -> tuple[str, str]:
    """The kind of field whose sentence ends this description, and that sentence."""
    for kind in _kinds():
        sentence = (kind.__doc__ or "").strip().split("\n")[0]
        if sentence and description.lower().endswith(sentence.lower()):
            return kind.__name__, description[-len(sentence) :]
    return "", ""


def _words(schema: Schema, kind: str, media: str = "") -> str:
    if media.startswith(("text/", "audio/")):
        return f"`{media}`"
    if kind in KINDS:
        return KINDS[kind]
    options = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    for wanted in ("boolean", "integer", "number", "array", "object", "string"):
        for option in options:
            kinds = option.get("type")
            if wanted == kinds or (isinstance(kinds, list) and wanted in kinds):
                if wanted in ("integer", "number") and _is_text(options):
                    break
                return _of_type(wanted, option)
    values = next((option["enum"] for option in options if "enum" in option), None)
    if values:
        return ", ".join(code(value) for value in values)
    constant = next((option["const"] for option in options if "const" in option), None)
    return code(json.dumps(constant)) if constant is not None else "any JSON"


def _is_text(options: list[Schema]) -> bool:
    """Whether this is a text that may also be sent as a number."""
    return any(option.get("type") == "string" and "maxLength" in option for option in options)


def _of_type(wanted: str, schema: Schema) -> str:
    if wanted == "boolean":
        return "`true` or `false`"
    if wanted in ("integer", "number"):
        words = "whole number" if wanted == "integer" else "number"
        low, high = schema.get("minimum"), schema.get("maximum")
        if high in (2**31 - 1, 2**53):
            high = None
        if low in (-(2**31), -(2**53)):
            low = None
        if low is not None and high is not None:
            return f"{words}, {low:g} to {high:.10g}"
        return f"{words}, {low:g} or more" if low is not None else words
    if wanted == "array":
        return f"list of: {_words(schema.get('items', {}), '')}" if schema.get("items") else "list"
    if wanted == "object":
        return "JSON object"
    if "enum" in schema:
        return ", ".join(code(value or '""') for value in schema["enum"])
    if re.match(r"\d{4}-\d\d-\d\d[ T]", str(next(iter(schema.get("examples", ())), ""))):
        return "date and time"
    several = re.fullmatch(r"\^\((.+?)\)\(,\(\1\)\)\*\$", schema.get("pattern", ""))
    if several:
        return f"{', '.join(map(code, several[1].split('|')))}; several with commas"
    formats = {"uri": "link", "date-time": "date and time", "date": "date", "regex": "pattern"}
    if schema.get("format") in formats:
        return formats[schema["format"]]
    if "contentMediaType" in schema:
        return f"file, `{schema['contentMediaType']}`"
    longest = schema.get("maxLength")
    return f"text, at most {longest} characters" if longest else "text"
