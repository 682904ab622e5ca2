"""branching-template/: the next section of a survey, by the key that was pressed."""

from typing import Annotated, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Form
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, UPDATED, SelfLink
from telealarm.api.fields.texts import Word
from telealarm.api.rest.resource import Resource, Values
from telealarm.models import BranchingTemplate
from telealarm.store.engine import crud
from telealarm.store.survey import surveys

BRANCH_KEYS = Word(
    100,
    1,
    pattern=r"[0-9]{1,20}|timeout|invalid|any",
    right="must be a key value like 1, or timeout, invalid or any",
)


class BranchingTemplateForm(Form):
    url: ClassVar = SelfLink("branching-template")
    keys: Annotated[str, BRANCH_KEYS]
    """A key value, or `timeout`, `invalid`, `any`. After a section without keys it is `0`."""
    section: Annotated[int, Relation("section-template")]
    """The section in which the key is pressed."""
    goto: Annotated[int | None, Relation("section-template")] = None
    """The section that follows. null ends the call."""
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def create(context: RequestContext, owner_id: int, values: Values) -> BranchingTemplate:
    return surveys.add_branching(values)


def change(context: RequestContext, row: BranchingTemplate, values: Values) -> None:
    surveys.change_branching(row, values)


def delete(context: RequestContext, row: BranchingTemplate) -> None:
    surveys.check_open(row.section.survey)
    crud.remove(row)


BRANCHING_TEMPLATE = Resource(
    name="branching-template",
    model=BranchingTemplate,
    form=BranchingTemplateForm,
    filters={"section": BranchingTemplate.section, "keys": BranchingTemplate.keys},
    create=create,
    change=change,
    delete=delete,
    parent="section",
    example={"keys": "2", "section": "/rest-api/section-template/1/", "goto": None},
)
