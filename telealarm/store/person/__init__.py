"""A person, found by number: what is kept of them, its export and its erasure."""
