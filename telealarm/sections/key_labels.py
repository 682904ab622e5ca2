"""Labels of keys: the fields key_0 to key_9, which several types have."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from telealarm.sections.base import SectionType

Label = Annotated[str | None, Field(max_length=100)]


class KeyLabels(SectionType):
    key_0: Label = None
    key_1: Label = None
    key_2: Label = None
    key_3: Label = None
    key_4: Label = None
    key_5: Label = None
    key_6: Label = None
    key_7: Label = None
    key_8: Label = None
    key_9: Label = None

    def labels(self) -> Mapping[str, str]:
        labels = {key: getattr(self, f"key_{key}") for key in "0123456789"}
        return {key: label for key, label in labels.items() if label}
