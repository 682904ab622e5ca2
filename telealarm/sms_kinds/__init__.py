"""Kinds of SMS gateways. A new kind is one new file here, with a `KIND`; nothing else changes."""

import importlib
import pkgutil
from functools import cache

from telealarm.sms_kinds.kind import SmsKind


@cache
def kinds() -> dict[str, SmsKind]:
    """Every kind, by the name that a gateway's row has."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "KIND", None)
        if isinstance(kind, SmsKind):
            found[kind.name] = kind
    return dict(sorted(found.items()))
