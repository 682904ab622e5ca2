"""The survey that a callee hears after answering: sections, prompts, keys."""
