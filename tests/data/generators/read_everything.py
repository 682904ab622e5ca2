"""With the client of openapi-python-client: read every resource, and meet every error.

Usage: read_everything.py FOLDER ORIGIN USER PASSWORD. Prints what was read, and what differed from
the JSON that came.
"""

import importlib
import json
import pkgutil
import sys
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

folder, origin, user, password = sys.argv[1:]
sys.path.insert(0, folder)

import client as package  # noqa: E402
import httpx  # noqa: E402
from client import api, models  # noqa: E402


def plain(value: Any) -> Any:
    """The value with each moment in UTC, as a text, however it was written."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str) and len(value) > 10 and value[:4].isdigit():
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def login(name: str, word: str) -> Any:
    auth = httpx.BasicAuth(name, word)
    return package.Client(
        base_url=origin, httpx_args={"auth": auth}, raise_on_unexpected_status=True
    )


me, stranger = login(user, password), login(user, "wrong")
read: dict[str, int] = {}
different: list[str] = []
errors: dict[str, str] = {}


def check(name: str, reply: Any) -> None:
    """Note the reply, and whether the client's objects hold all that came."""
    came = json.loads(reply.content)
    parsed = reply.parsed
    read[name] = len(came["results"]) if isinstance(came, dict) and "results" in came else 1
    if isinstance(parsed, list):
        shown: Any = [item.to_dict() for item in parsed]
    else:
        shown = parsed.to_dict() if hasattr(parsed, "to_dict") else parsed
    if plain(shown) != plain(came):
        different.append(f"{name}: {shown} is not {came}")


def fail(name: str, reply: Any, kind: type) -> None:
    if not isinstance(reply.parsed, kind):
        different.append(f"{name}: {reply.parsed!r} is no {kind.__name__}")
    errors[name] = str(reply.status_code.value)


def ids(page: Any) -> list[int]:
    """The ids of the rows of a page, from their links."""
    links = [getattr(row, "url", "") for row in getattr(page, "results", [])]
    return [int(link.rstrip("/").rsplit("/", 1)[1]) for link in links if link]


modules = {
    name.rsplit(".", 1)[1]: importlib.import_module(name)
    for _, name, is_package in pkgutil.walk_packages(api.__path__, "client.api.")
    if not is_package
}
for name, module in modules.items():
    if not name.endswith("_list"):
        continue
    page = module.sync_detailed(client=me)
    check(name, page)
    row = name.removesuffix("_list")
    for row_id in ids(page.parsed)[:3]:
        check(f"{row}_read", modules[f"{row}_read"].sync_detailed(row_id, client=me))
    missing = modules[f"{row}_read"].sync_detailed(999_999, client=me)
    fail(f"{row}_read 404", missing, models.Detail)

event, alarm, survey = (
    ids(modules[f"{name}_list"].sync(client=me))[0] for name in ("event", "alarm", "sealed_survey")
)
for name, row_id in (
    ("event_get_list_child", event),
    ("event_get_list_alarm", event),
    ("event_occurrences", event),
    ("alarm_request_get_nested_alarm_request", event),
    ("alarm_timeline", alarm),
    ("surveyaggregate_read", survey),
):
    check(name, modules[name].sync_detailed(row_id, client=me))
for name in ("plan", "plan_load", "dialing", "resources", "readyz", "healthz"):
    check(name, modules[name].sync_detailed(client=me))

unfit = models.CalendarNew(name="", user="999999")
fail(
    "calendar_create 400",
    modules["calendar_create"].sync_detailed(client=me, body=unfit),
    models.WrongFields,
)
used = modules["sealed_survey_list"].sync(client=me).results[0].template
template = int(used.rstrip("/").rsplit("/", 1)[1])
patch = models.SurveyTemplatePatch(name="another")
fail(
    "survey_template_change 409",
    modules["survey_template_change"].sync_detailed(template, client=me, body=patch),
    models.Detail,
)
fail("event_list 401", modules["event_list"].sync_detailed(client=stranger), models.Detail)
manager = login("manager", password)
fail("users_list 403", modules["users_list"].sync_detailed(client=manager), models.Detail)
print(json.dumps({"read": read, "different": different, "errors": errors}))
