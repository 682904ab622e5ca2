"""The section types as the registry finds them, and the form that the API makes of their fields."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field
from pydantic.fields import FieldInfo

import telealarm
from telealarm import attribute_docs, sections
from telealarm.api.fields.of_section import form_fields
from telealarm.errors import TeleAlarmError
from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import IsPhoneNumber, Lines, Pattern, SectionType
from telealarm.sections.call_transfer import CallTransfer

# The contract with clients: it never changes, though types may be added.
WORDS = {
    1: "play message",
    2: "multi choice",
    3: "rating",
    4: "capture digits",
    5: "record message",
    6: "call transfer",
    7: "hang up",
    8: "conference",
    9: "do not call",
    10: "sms",
}
TYPES = list(sections.section_types().values())


def test_the_numbers_and_words_of_the_api() -> None:
    assert {number: kind.word for number, kind in sections.section_types().items()} == WORDS


@pytest.mark.parametrize("kind", TYPES)
def test_a_type_with_its_defaults(kind: type[SectionType]) -> None:
    section = sections.of(kind.number, {})
    assert type(section) is kind
    assert (section.answers() is not None) == (kind.flow is Flow.ASK)
    acts = kind.act is not SectionType.act
    assert acts == (kind.flow in (Flow.ACT, Flow.ACT_FIRST))
    assert acts == (kind.responses is not None)
    assert kind.counts <= set(kind.responses or ())
    for words in (kind.timeline, kind.responses):
        assert all(word.meaning[-1] == "." for word in words or ())


def test_fields_of_other_types_are_passed_over() -> None:
    section = sections.of(6, {"phonenumber": "200", "rating_laps": 3, "gone": 1})
    assert isinstance(section, CallTransfer)
    assert section == CallTransfer(phonenumber="200")


def test_a_type_whose_file_is_gone_is_named() -> None:
    with pytest.raises(TeleAlarmError, match="no section type 77"):
        sections.of(77, {})


def read(annotation: Any, value: Any, default: Any = None) -> Any:
    """`value`, as a form reads it into a field of a section type."""
    info = FieldInfo.from_annotated_attribute(annotation, default)
    made, _ = form_fields({"f": info}, taken=())["f"]
    return made.__metadata__[0].read(value)


def test_a_form_has_the_limits_of_the_type() -> None:
    assert read(Annotated[float, Field(ge=0, le=2)], "1.5", 1.0) == 1.5
    assert read(Literal["slow", "quick"], "quick", "slow") == "quick"
    assert read(Annotated[str | None, Field(max_length=3), Lines()], "a\nb") == "a\nb"
    for annotation, value, right in (
        (Annotated[int, Field(ge=1, le=5)], 6, "must lie between 1 and 5"),
        (Annotated[float, Field(ge=0, le=2)], 3, "must lie between 0 and 2"),
        (Annotated[str | None, Field(max_length=3)], "abcd", "at most 3 characters"),
        (Annotated[str, Field(min_length=1, max_length=3)], "", "must not be empty"),
        (Annotated[str | None, Pattern("[ab]", "must be a or b")], "c", "must be a or b"),
        (Annotated[str | None, IsPhoneNumber()], "x", "must be a phone number"),
        (Literal["slow", "quick"], "fast", "must be one of slow, quick"),
        (bool, "maybe", "must be true or false"),
    ):
        with pytest.raises(ValueError, match=right):
            read(annotation, value)


def test_a_field_that_no_form_can_have_is_refused_with_its_name() -> None:
    with pytest.raises(TypeError, match="f: a field of a section type is int, float"):
        read(list[int], [1], [])
    with pytest.raises(TypeError, match="f: a field of a section type needs a default"):
        form_fields({"f": FieldInfo.from_annotation(int)}, taken=())
    with pytest.raises(TypeError, match="script: every section has such a field"):
        form_fields({"script": FieldInfo.from_annotated_attribute(str, "")}, taken={"script"})


def files_of_types() -> set[str]:
    return {kind.__module__ for kind in TYPES}


def named(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ({str(node.module), *names} & files_of_types())


def test_who_names_a_type() -> None:
    """A type's file is named for its words where rows of it are written; nobody asks for a type."""
    package = Path(telealarm.__file__).parent
    naming = {
        str(path.relative_to(package)): set(named(path))
        for path in package.rglob("*.py")
        if path.parent.name != "sections" and set(named(path))
    }
    assert naming == {
        "store/outcome/escalation.py": {"telealarm.sections.play_message"},
        "store/survey/section_effects.py": {
            "telealarm.sections.conference",
            "telealarm.sections.do_not_call",
            "telealarm.sections.record_message",
            "telealarm.sections.sms",
        },
        "store/survey/transfers.py": {"telealarm.sections.call_transfer"},
        "store/survey/voice_messages.py": {"telealarm.sections.record_message"},
        "survey/transfer.py": {"telealarm.sections.call_transfer"},
    }


def test_types_that_share_a_field_say_the_same_of_it() -> None:
    for name in sections.fields():
        kinds = [kind for kind in sections.section_types().values() if name in kind.model_fields]
        assert len({attribute_docs.of(kind)[name] for kind in kinds}) == 1, name
