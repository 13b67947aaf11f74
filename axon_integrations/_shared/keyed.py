"""What is kept by key and never recalled: the text of such an entry says what it is, for whoever looks at it."""

from __future__ import annotations


def label(key: str) -> str:
    """Return a text for the entry of ``key``: the key itself where that is text, else its ``repr``."""
    return key if key and not key.isspace() else repr(key)
