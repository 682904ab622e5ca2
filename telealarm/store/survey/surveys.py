"""Surveys: templates that can be edited, and their sealed copies, which never change."""

from collections.abc import Mapping, Sequence
from typing import Any

from peewee import fn

from telealarm.errors import Conflict, Invalid
from telealarm.models import (
    Branching,
    BranchingTemplate,
    Section,
    SectionTemplate,
    Survey,
    SurveyTemplate,
)
from telealarm.rules import survey_graph
from telealarm.rules.survey_graph import ANY, HEARD, INVALID, TIMEOUT, Flow, Place
from telealarm.sections import fields
from telealarm.sections.base import SectionType
from telealarm.store.engine import crud

Errors = dict[str, list[str]]

_NOT_A_KEY = (ANY, INVALID, TIMEOUT)


def check_open(template: SurveyTemplate) -> None:
    """Raise Conflict if the template was sealed: a sealed survey never changes."""
    sealed = Survey.select(Survey.id).where(Survey.template == template.id).get_or_none()
    if sealed is not None:
        raise Conflict(
            f"The survey template {template.id} was sealed (sealed-survey/{sealed.id}/) and stays"
            " as it is; make a new template to change it."
        )


def add_section(values: Mapping[str, Any]) -> SectionTemplate:
    """Write and return a new section; without an order it is the last.

    Raises Conflict if the survey was sealed.
    """
    survey = values["survey"]
    check_open(survey)
    order = values["order"]
    if order is None:
        last = SectionTemplate.select(fn.MAX(SectionTemplate.order)).where(
            SectionTemplate.survey == survey
        )
        order = (last.scalar() or 0) + 1
    return crud.insert(SectionTemplate, _columns({**values, "order": order}, {}))


def change_section(section: SectionTemplate, values: Mapping[str, Any]) -> None:
    """Edit a section. Raises Conflict if the survey was sealed."""
    check_open(section.survey)
    check_open(values.get("survey", section.survey))
    changed = {k: v for k, v in values.items() if k != "order" or v is not None}
    crud.change(section, _columns(changed, _locked_settings(section)))


def _locked_settings(section: SectionTemplate) -> dict[str, Any]:
    """Return the current settings. Another worker that edits the section must wait from now on."""
    same = SectionTemplate.id == section.id
    SectionTemplate.update(updated_date=SectionTemplate.updated_date).where(same).execute()
    return SectionTemplate.get(same).settings


def _columns(values: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a section. The fields of all section types are in `settings`."""
    columns = {name: value for name, value in values.items() if name not in fields()}
    changed = {name: value for name, value in values.items() if name in fields()}
    return {**columns, "settings": {**settings, **changed}} if changed else columns


def add_branching(values: Mapping[str, Any]) -> BranchingTemplate:
    """Write and return a new branching.

    Raises Conflict if the survey was sealed, Invalid if the section has such a branching already.
    """
    check_open(values["section"].survey)
    _check_single(values["section"], values["keys"], own_id=0)
    return crud.insert(BranchingTemplate, values)


def change_branching(branching: BranchingTemplate, values: Mapping[str, Any]) -> None:
    """Edit a branching. Raises the same errors as `add_branching`."""
    section = values.get("section", branching.section)
    check_open(branching.section.survey)
    check_open(section.survey)
    _check_single(section, values.get("keys", branching.keys), own_id=branching.id)
    crud.change(branching, values)


def _check_single(section: SectionTemplate, keys: str, *, own_id: int) -> None:
    same = (BranchingTemplate.section == section.id) & (BranchingTemplate.keys == keys)
    if BranchingTemplate.select().where(same, BranchingTemplate.id != own_id).exists():
        raise Invalid({"keys": [f"the section has a branching for {keys} already"]})


def seal(template: SurveyTemplate) -> Survey:
    """Return a sealed copy of the template, which never changes.

    Raises Invalid with the mistakes by section, Conflict if the template was sealed before.
    """
    check_open(template)
    sections = list(template.sections.order_by(SectionTemplate.order, SectionTemplate.id))
    errors = _mistakes(sections)
    if errors:
        raise Invalid(errors)
    survey = Survey.create(
        owner=template.owner_id,
        template=template,
        name=template.name,
        tts_language=template.tts_language,
        description=template.description,
        rating_counts=template.rating_counts,
    )
    copies: dict[int, Section] = {}
    for section in sections:
        copied = {name: getattr(section, name) for name in _COPIED}
        copies[section.id] = Section.create(survey=survey, **copied)
    for section in sections:
        for branching in section.branchings:
            goto = copies[branching.goto_id] if branching.goto_id else None
            Branching.create(section=copies[section.id], keys=branching.keys, goto=goto)
    return survey


_COPIED = [name for name in Section._meta.fields if name not in ("id", "survey", "created_date")]


def outline(survey: Survey) -> list[tuple[Section, list[Branching]]]:
    """Return the sections of a sealed survey, in order, each with its branchings."""
    sections = survey.sections.order_by(Section.order, Section.id)
    return [(section, list(section.branchings.order_by(Branching.id))) for section in sections]


def _mistakes(sections: Sequence[SectionTemplate]) -> Errors:
    if not sections:
        return {"sections": ["the survey has none; add one with POST section-template/"]}
    ids = {section.id for section in sections}
    mistakes = {section.id: _section_mistakes(section, ids) for section in sections}
    for section_id, messages in survey_graph.dead_ends(
        [_place(section) for section in sections]
    ).items():
        mistakes[section_id] += messages
    return {
        f"section-{section_id}": messages for section_id, messages in mistakes.items() if messages
    }


def _place(section: SectionTemplate) -> Place:
    kind = section.kind
    branches = {branching.keys: branching.goto_id for branching in section.branchings}
    return Place(section.id, kind.flow, kind.answers(), branches, kind.rates)


def _section_mistakes(section: SectionTemplate, ids: set[int]) -> list[str]:
    kind, messages = section.kind, []
    if kind.needs_script and section.is_silent:
        messages.append("script is empty; write what is to be spoken, or name an audiofile")
    messages += kind.mistakes()
    for branching in section.branchings.order_by(BranchingTemplate.id):
        if not _yields(kind, branching.keys):
            offered = ", ".join(_offers(kind)) or "none"
            messages.append(
                f"the branching for {branching.keys} can never be taken; keys: {offered}"
            )
        if branching.goto_id is not None and branching.goto_id not in ids:
            messages.append(f"the branching for {branching.keys} goes to another survey")
    return messages


def _offers(kind: SectionType) -> list[str]:
    """Return what the branchings of such a section may wait for, in words."""
    if kind.flow is Flow.END:
        return []
    answers = kind.answers()
    return [*(answers.in_words() if answers else [HEARD]), *_NOT_A_KEY]


def _yields(kind: SectionType, keys: str) -> bool:
    """Return whether such a section can ever take a branching for `keys`."""
    answers = kind.answers()
    return keys in _offers(kind) or (answers is not None and answers.may_branch(keys))
