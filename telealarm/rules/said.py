"""What others said, as it can be kept and shown."""


def kept(text: str, longest: int) -> str:
    """`text` on one line, up to `longest` characters, without control characters and halves of
    surrogate pairs, which not every database takes.
    """
    return "".join(one if one.isprintable() else " " for one in text[:longest]).strip()
