"""SMS providers. A new provider is one new file here, with a `PROVIDER`; nothing else changes."""

import importlib
import pkgutil
from functools import cache

from telealarm.methods.sms.provider import SmsProvider


@cache
def providers() -> dict[str, SmsProvider]:
    """Every kind, by the name that a gateway's row has."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "PROVIDER", None)
        if isinstance(kind, SmsProvider):
            found[kind.name] = kind
    return dict(sorted(found.items()))
