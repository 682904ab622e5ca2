"""What the kinds of fields take, and what they say of the rest."""

from datetime import UTC, datetime, time
from typing import Annotated, Any

import pytest

from telealarm.api.core import links
from telealarm.api.fields import form
from telealarm.api.fields.base import Absent, FieldType
from telealarm.api.fields.choices import Choice
from telealarm.api.fields.form import Form
from telealarm.api.fields.json import Json
from telealarm.api.fields.numbers import Flag, Real, Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.texts import Phone, PlainPhone, Secret, Text, Url, Zone
from telealarm.api.fields.times import Clock, Moment, Moments
from telealarm.api.resources.alarms import RetryPolicy
from telealarm.api.resources.calendar_settings import CallingDays, Holidays, Manager
from telealarm.api.resources.profiles import Permissions

ACTIVE = Choice({1: "active", 0: "inactive"})
CALENDAR = Relation("calendar")
USER = Relation("users")


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        (Text(5), " abc ", "abc"),
        (Text(5), None, ""),
        (Text(9), 123456, "123456"),
        (Text(9, lines=True), "a\n\tb", "a\n\tb"),
        (Whole(), "12", 12),
        (Whole(), " -7 ", -7),
        (Whole(), 3.0, 3),
        (Real(0, 10), "2.5", 2.5),
        (Real(0, 10), 2, 2.0),
        (Flag(), "TRUE", True),
        (Flag(), False, False),
        (ACTIVE, "inactive", 0),
        (ACTIVE, "1", 1),
        (Clock(), "08:30", time(8, 30)),
        (Clock(), "23:59:59", time(23, 59, 59)),
        (Moment(), "2013-12-10 12:34:43", datetime(2013, 12, 10, 12, 34, 43)),
        (Moment(), "2013-12-10T12:34:43Z", datetime(2013, 12, 10, 12, 34, 43, tzinfo=UTC)),
        (Moment(), "2013-12-10T12:34:43.5", datetime(2013, 12, 10, 12, 34, 43, 500_000)),
        (PlainPhone(), "+34 (600) 10.02-00", "+34600100200"),
        (Phone(), "", ""),
        (Url(), "https://example.com:8443/x?y=1", "https://example.com:8443/x?y=1"),
        (Zone(), "Europe/Madrid", "Europe/Madrid"),
        (Zone(), "", None),
        (CALENDAR, 3, 3),
        (CALENDAR, "3", 3),
        (CALENDAR, "http://anywhere:1/rest-api/calendar/3/", 3),
        (CALENDAR, "/rest-api/calendar/3/", 3),
        (USER, "http://x/rest-api/user/2/", 2),
        (Moments(), [], []),
        (Json(), {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        (CallingDays(30, 1), "tu, mo", "MO,TU"),
        (Holidays(), ["2026-12-25", "2026-01-06"], ["2026-01-06", "2026-12-25"]),
        (Manager(), "http://x/rest-api/user/2/", "2"),
        (RetryPolicy(), {"busy": {"delay": "1", "count": 2}}, {"busy": {"delay": 1, "count": 2}}),
        (
            Permissions(),
            {"methods": [2, 1], "prefixes": ["+34"]},
            {"methods": [1, 2], "max_alarms_per_day": None, "prefixes": ["+34"]},
        ),
    ],
)
def test_what_is_taken(kind: FieldType, sent: Any, kept: Any) -> None:
    found = kind.read(sent)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("kind", "sent", "said"),
    [
        (Text(5), "abcdef", "at most 5 characters"),
        (Text(5, 1), "  ", "must not be empty"),
        (Text(5), "a\x00", "control characters"),
        (Text(5), "a\nb", "control characters"),
        (Text(5), "\ud800", "control characters"),
        (Text(5), True, "must be a text"),
        (Whole(), True, "whole number"),
        (Whole(), "1e3", "whole number"),
        (Whole(), 2**31, "must lie between"),
        (Whole(), "٣", "whole number"),
        (Real(0, 10), float("inf"), "must lie between 0 and 10"),
        (Real(0, 10), float("nan"), "must lie between 0 and 10"),
        (Flag(), 1, "true or false"),
        (ACTIVE, 2, "must be one of 1 (active), 0 (inactive)"),
        (Clock(), "24:00", "00:00:00 to 23:59:59"),
        (Moment(), "2013-12-10", "must be a date and time"),
        (Moment(), "2013-02-30 10:00", "of a day that exists"),
        (Phone(), "600x", "digits with an optional leading +"),
        (Phone(), "${EVAL}", "digits with an optional leading +"),
        (Url(), "javascript:alert(1)", "must be an address"),
        (Url(), "http://[::1", "must be an address"),
        (Url(), "http://x:99999/", "must be an address"),
        (Zone(), "../../etc/passwd", "must be an IANA time zone"),
        (CALENDAR, "http://x/rest-api/event/3/", "must be a link to a calendar"),
        (CALENDAR, 0, "calendar 0 does not exist"),
        (CALENDAR, -1, "must be a link to a calendar"),
        (CALENDAR, "99999999999", "calendar 99999999999 does not exist"),
        (CALENDAR, None, "must be a link to a calendar"),
        (Moments(), 1, "must be a list"),
        (Json(), [], "must be a JSON object"),
        (Json(), {"a": "\x00"}, "control characters"),
        (Json(), {"a": float("inf")}, "finite"),
        (Json(1), {"a": {"b": {}}}, "at most 1 deep"),
        (RetryPolicy(), {"tired": {"delay": 1, "count": 1}}, "with keys busy, no_answer"),
        (RetryPolicy(), {"busy": {"delay": -1, "count": 1}}, "busy: delay or count must lie"),
        (Permissions(), {"methods": [4]}, "methods: must be a list"),
    ],
)
def test_what_is_refused(kind: FieldType, sent: Any, said: str) -> None:
    with pytest.raises(ValueError) as error:
        kind.read(sent)
    assert said in str(error.value)


class Sample(Form):
    name: Annotated[str, Text(5, 1)]
    parent: Annotated[int | None, CALENDAR] = None
    count: Annotated[int, Whole()] = 7
    until: Annotated[datetime | Absent | None, Moment()] = Absent.LEFT_OUT
    password: Annotated[str | None, Secret()] = None


def read(body: dict[str, Any], *, partial: bool = False) -> form.Sent:
    return form.read(Sample, body, read_only=frozenset({"url"}), partial=partial)


def test_a_whole_form_has_its_defaults() -> None:
    sent = read({"name": "x", "url": "ignored"})
    assert sent.errors == {}
    assert sent.values == {"name": "x", "parent": None, "count": 7, "password": None}


def test_a_part_of_a_form_has_what_was_sent_alone() -> None:
    assert read({"count": "8"}, partial=True).values == {"count": 8}
    assert read({"parent": None}, partial=True).values == {"parent": None}
    assert read({}, partial=True).values == {}
    assert read({"count": None}, partial=True).errors == {"count": ["must be a whole number"]}


def test_every_mistake_is_told_and_the_rest_is_kept() -> None:
    sent = read({"parent": "3", "count": "x", "until": 1, "nme": "typo"})
    assert set(sent.errors) == {"name", "count", "until", "nme"}
    assert sent.errors["name"] == ["this field is required"]
    assert sent.errors["nme"] == [
        "there is no such field; it may be one of count, name, parent, password, until"
    ]
    assert sent.values == {"parent": 3}


@pytest.mark.parametrize("host", ["alarm.example.com", "127.0.0.1:8000", "[::1]:80"])
def test_a_host_name_is_repeated(host: str) -> None:
    assert links.origin("https", host, "fallback") == f"https://{host}"


@pytest.mark.parametrize("host", [None, "", "a b", "a/b", "a@b", "x:1:2", "é", "<x>", "a:123456"])
def test_what_is_no_host_name_is_not_repeated(host: str | None) -> None:
    assert links.origin("http", host, "127.0.0.1:8000") == "http://127.0.0.1:8000"
