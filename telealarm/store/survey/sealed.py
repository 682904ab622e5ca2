"""Sealed surveys as calls use them. A sealed survey never changes, so it is read once."""

from collections import OrderedDict
from weakref import WeakKeyDictionary

from peewee import Database

from telealarm.models import Branching, Section, Survey

# Where each answer leads, by the section's branchings; None: the end of the call.
Branches = dict[str, int | None]
Outline = list[tuple[Section, Branches]]

# How many surveys are kept.
MOST = 500

_kept: WeakKeyDictionary[Database, OrderedDict[object, Outline]] = WeakKeyDictionary()


def outline(survey: Survey) -> Outline:
    """Return the sections of a survey in order, each with its branches. Do not change them."""
    kept = _kept.setdefault(Survey._meta.database, OrderedDict())
    # SQLite may give the id of a deleted survey to a new one.
    key = survey.id, survey.created_date
    sections = kept.get(key)
    if sections is None:
        sections = kept[key] = _read(survey)
        while len(kept) > MOST:
            kept.popitem(last=False)
    return sections


def _read(survey: Survey) -> Outline:
    branches: dict[int, Branches] = {}
    for branching in Branching.select().join(Section).where(Section.survey == survey.id):
        branches.setdefault(branching.section_id, {})[branching.keys] = branching.goto_id
    sections = Section.select().where(Section.survey == survey.id)
    return [
        (section, branches.get(section.id, {}))
        for section in sections.order_by(Section.order, Section.id)
    ]
