"""`?search=` of a list: words by their beginning, and phone numbers."""

from dataclasses import dataclass
from typing import Any

from peewee import ModelSelect

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.base import Schema
from telealarm.api.fields.texts import Text
from telealarm.errors import Invalid
from telealarm.rules import search_terms
from telealarm.rules.search_terms import Sought
from telealarm.store.engine import search_index
from telealarm.store.engine.search_index import Found

NAME = "search"


@dataclass(frozen=True)
class SearchText(Text):
    """What to search for."""

    max_length: int = 200

    def sought(self, value: str) -> list[Sought] | None:
        """Return the words and numbers. None: the text is empty, so it searches for nothing."""
        text = self.read(value)
        return search_terms.sought(text) if text else None

    def schema(self) -> Schema:
        return {
            **self.line(),
            "description": "Words by their beginning, in any case and without accents, and phone"
            " numbers in any form or by their last six digits. A row must have all of them.",
            "examples": ["ana garcia", "123456"],
        }


SEARCH = SearchText()


def is_asked(context: RequestContext) -> bool:
    """Return whether the address searches for something."""
    return bool(context.query.get(NAME, "").strip())


def narrowed(context: RequestContext, query: "ModelSelect[Any]") -> Found:
    """Return the rows that the address searches for. Raises Invalid."""
    try:
        sought = SEARCH.sought(context.query.get(NAME, ""))
    except ValueError as error:
        raise Invalid({NAME: [str(error)]}) from None
    if sought is None:
        return Found(query)
    return search_index.narrowed(context.login, query, sought)
