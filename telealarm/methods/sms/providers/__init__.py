"""SMS providers. A new provider is one new file here, with a `PROVIDER`. No other file changes."""

import importlib
import pkgutil
from functools import cache

from telealarm.methods.sms.provider import SmsProvider


@cache
def providers() -> dict[str, SmsProvider]:
    """Return all providers, by the name in a gateway's row."""
    result = {}
    for module in pkgutil.iter_modules(__path__):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "PROVIDER", None)
        if isinstance(kind, SmsProvider):
            result[kind.name] = kind
    return dict(sorted(result.items()))
