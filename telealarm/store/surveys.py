"""Surveys: templates as they are written, and sealing them into copies that never change."""

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
from telealarm.rules import ways
from telealarm.rules.states import SectionType
from telealarm.store import rows

Errors = dict[str, list[str]]

# What a survey may be made of in this version.
PLAYABLE = {
    SectionType.PLAY_MESSAGE,
    SectionType.MULTI_CHOICE,
    SectionType.RATING,
    SectionType.HANG_UP,
}
_NOT_A_KEY = {"timeout", "invalid", "any"}


def check_open(template: SurveyTemplate) -> None:
    """Raise Conflict where the template was sealed: what is sealed stays as it is."""
    sealed = Survey.select(Survey.id).where(Survey.template == template.id).first()
    if sealed is not None:
        raise Conflict(
            f"The survey template {template.id} was sealed (sealed-survey/{sealed.id}/) and stays"
            " as it is; make a new template to change it."
        )


def add_section(values: Mapping[str, Any]) -> SectionTemplate:
    """A new section; without an order it is the last. Raises Conflict once sealed."""
    survey = values["survey"]
    check_open(survey)
    order = values["order"]
    if order is None:
        last = SectionTemplate.select(fn.MAX(SectionTemplate.order)).where(
            SectionTemplate.survey == survey
        )
        order = (last.scalar() or 0) + 1
    section: SectionTemplate = rows.insert(SectionTemplate, {**values, "order": order})
    return section


def change_section(section: SectionTemplate, values: Mapping[str, Any]) -> None:
    """Edit a section. Raises Conflict once sealed."""
    check_open(section.survey)
    check_open(values.get("survey", section.survey))
    rows.change(section, {k: v for k, v in values.items() if k != "order" or v is not None})


def add_branching(values: Mapping[str, Any]) -> BranchingTemplate:
    """A new branching. Raises Conflict once sealed, Invalid where the section has that one."""
    check_open(values["section"].survey)
    _check_single(values["section"], values["keys"], own_id=0)
    branching: BranchingTemplate = rows.insert(BranchingTemplate, values)
    return branching


def change_branching(branching: BranchingTemplate, values: Mapping[str, Any]) -> None:
    """Edit a branching. Raises as `add_branching` does."""
    section = values.get("section", branching.section)
    check_open(branching.section.survey)
    check_open(section.survey)
    _check_single(section, values.get("keys", branching.keys), own_id=branching.id)
    rows.change(branching, values)


def _check_single(section: SectionTemplate, keys: str, *, own_id: int) -> None:
    same = (BranchingTemplate.section == section.id) & (BranchingTemplate.keys == keys)
    if BranchingTemplate.select().where(same, BranchingTemplate.id != own_id).exists():
        raise Invalid({"keys": [f"the section has a branching for {keys} already"]})


def seal(template: SurveyTemplate) -> Survey:
    """A copy that never changes. Raises Invalid, by section, and Conflict where it has one."""
    check_open(template)
    sections = list(template.sections.order_by(SectionTemplate.order, SectionTemplate.id))
    errors = _mistakes(sections)
    if errors:
        raise Invalid(errors)
    survey: Survey = Survey.create(
        owner=template.owner_id,
        template=template,
        name=template.name,
        tts_language=template.tts_language,
        description=template.description,
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
    """The sections of a sealed survey, in order, each with its branchings."""
    sections = survey.sections.order_by(Section.order, Section.id)
    return [(one, list(one.branchings.order_by(Branching.id))) for one in sections]


def _mistakes(sections: Sequence[SectionTemplate]) -> Errors:
    if not sections:
        return {"sections": ["the survey has none; add one with POST section-template/"]}
    ids = {section.id for section in sections}
    found = {section.id: _section_mistakes(section, ids) for section in sections}
    for section_id, said in ways.dead_ends([_place(section) for section in sections]).items():
        found[section_id] += said
    return {f"section-{section_id}": said for section_id, said in found.items() if said}


def _place(section: SectionTemplate) -> ways.Place:
    branches = {one.keys: one.goto_id for one in section.branchings}
    return ways.Place(section.id, section.type, section.offered_keys(), branches)


def _section_mistakes(section: SectionTemplate, ids: set[int]) -> list[str]:
    if section.type not in PLAYABLE:
        return [f"type {section.type} is not available in this version; use 1, 2, 3 or 7"]
    said = []
    silent = not section.script.strip() and section.audiofile_id is None
    if section.type != SectionType.HANG_UP and silent:
        said.append("script is empty; write what is to be spoken, or name an audiofile")
    if section.type == SectionType.MULTI_CHOICE and not section.offered_keys():
        said.append("a multi-choice needs keys; label at least one of key_0 to key_9")
    if section.type == SectionType.RATING and not 1 <= section.rating_laps <= 9:
        said.append("rating_laps must lie between 1 and 9")
    yields = _yields(section)
    for branching in section.branchings.order_by(BranchingTemplate.id):
        if branching.keys not in yields:
            offered = ", ".join(sorted(yields)) or "none"
            said.append(f"the branching for {branching.keys} can never be taken; keys: {offered}")
        if branching.goto_id is not None and branching.goto_id not in ids:
            said.append(f"the branching for {branching.keys} goes to another survey")
    return said


def _yields(section: SectionTemplate) -> set[str]:
    """What a branching of this section may wait for."""
    if section.type == SectionType.HANG_UP:
        return set()
    if section.type == SectionType.PLAY_MESSAGE:
        return {"0", *_NOT_A_KEY}
    return set(section.offered_keys()) | _NOT_A_KEY
