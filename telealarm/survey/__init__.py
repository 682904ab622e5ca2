"""The survey that an answered callee hears: sections, prompts, keys."""
