"""Labels of keys: the fields key_0 to key_9. Several section types have them."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from telealarm.sections.base import SectionType

Label = Annotated[str | None, Field(max_length=100)]


class KeyLabels(SectionType):
    key_0: Label = None
    """The label of key 0 in a multi-choice; without one the key is refused."""
    key_1: Label = None
    """The label of key 1 in a multi-choice; without one the key is refused."""
    key_2: Label = None
    """The label of key 2 in a multi-choice; without one the key is refused."""
    key_3: Label = None
    """The label of key 3 in a multi-choice; without one the key is refused."""
    key_4: Label = None
    """The label of key 4 in a multi-choice; without one the key is refused."""
    key_5: Label = None
    """The label of key 5 in a multi-choice; without one the key is refused."""
    key_6: Label = None
    """The label of key 6 in a multi-choice; without one the key is refused."""
    key_7: Label = None
    """The label of key 7 in a multi-choice; without one the key is refused."""
    key_8: Label = None
    """The label of key 8 in a multi-choice; without one the key is refused."""
    key_9: Label = None
    """The label of key 9 in a multi-choice; without one the key is refused."""

    def labels(self) -> Mapping[str, str]:
        labels = {key: getattr(self, f"key_{key}") for key in "0123456789"}
        return {key: label for key, label in labels.items() if label}
