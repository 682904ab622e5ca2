"""plan/: the dry run. It shows what would be called, put off or left out, when and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.fields.times import QueryMoment
from telealarm.api.rest import lists
from telealarm.api.rest.tasks import Task
from telealarm.errors import Invalid
from telealarm.methods import alarm_methods
from telealarm.rules import dates
from telealarm.store.dry_run import dry_run, load
from telealarm.store.dry_run.dry_run import Entry, Planned
from telealarm.store.engine import time_zones
from telealarm.words import PlanAction

# The most entries of one dry run.
MOST = 10_000
SPAN, LONGEST = timedelta(days=30), timedelta(days=366)

QUERY = {"after": QueryMoment(), "before": QueryMoment(), **lists.PAGING}


def show(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Show what would be called, put off or left out from `after` (now) to `before` (30 days later)

    The entries are in order, at most the first 10000. `why` of a call is `clock_gap` or
    `clock_twice` if the clock is put forward or back over the start of its event.
    """
    entries = _entries(context)
    return lists.of_sequence(context, entries, lambda part: _shown(context, part))


def hours(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Show how many calls each trunk would get in each hour, in UTC"""
    decided = dry_run.decided(_entries(context))
    per_hour = [
        {"hour": stamp(row.hour), "gateway": row.gateway, "calls": row.calls}
        for row in load.per_hour(decided)
    ]
    return lists.of_sequence(context, per_hour, list)


def _entries(context: RequestContext) -> list[Entry]:
    after, before = _window(context)
    return dry_run.entries(context.login, context.now, after, before, MOST)


def _window(context: RequestContext) -> tuple[datetime, datetime]:
    """Return the time range of the address. Raises Invalid with each mistake."""
    asked: dict[str, datetime] = {}
    errors: dict[str, list[str]] = {}
    for name, text in context.query.items():
        if name in lists.PAGING:
            continue
        try:
            if name not in QUERY:
                raise ValueError(
                    f"there is no such parameter; the parameters are: {', '.join(QUERY)}"
                )
            asked[name] = dates.to_utc(QueryMoment().read(text), time_zones.configured())
        except ValueError as error:
            errors[name] = [str(error)]
    after = asked.get("after", context.now)
    before = asked.get("before", after + SPAN)
    if not errors and not after < before <= after + LONGEST:
        errors["before"] = ["must be later than `after`, by 366 days at most"]
    if errors:
        raise Invalid(errors)
    return after, before


def _shown(context: RequestContext, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    decided = dry_run.decided(entries)
    return [_row(context, planned) for planned in decided]


def _row(context: RequestContext, planned: Planned) -> dict[str, Any]:
    zone = str(planned.zone)
    return {
        "at": context.local(planned.at, zone),
        "alarm": context.links.to("alarm", planned.alarm_id),
        "event": context.links.to("event", planned.event_id),
        "number": planned.number,
        "method": planned.method,
        "action": planned.action,
        "why": planned.why or planned.change or "",
        "until": context.local(planned.until, zone),
    }


PLAN = Task(
    path="plan/",
    method="GET",
    run=show,
    query=QUERY,
    superusers_only=False,
    reply=json_schema.page_of(
        {
            "at": json_schema.MOMENT,
            "alarm": json_schema.LINK,
            "event": json_schema.LINK,
            "number": {"type": "string"},
            "method": {"type": "integer"},
            "action": json_schema.words(
                [*(one.name for one in alarm_methods().values()), *PlanAction]
            ),
            "why": {"type": "string"},
            "until": json_schema.nullable(json_schema.MOMENT),
        }
    ),
)
LOAD = Task(
    path="plan/load/",
    method="GET",
    run=hours,
    query=QUERY,
    superusers_only=False,
    reply=json_schema.page_of(
        {
            "hour": json_schema.MOMENT,
            "gateway": {"type": "string"},
            "calls": {"type": "integer", "minimum": 1},
        }
    ),
)
