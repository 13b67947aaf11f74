"""Places within a namespace for what a framework keeps apart: transcripts, byte values, records.

A compartment is a namespace of its own to every adapter, so nothing in it comes up when the namespace is searched.
Its name holds a character that callers may not use in a namespace, so that no tenant's name is another's compartment.
"""

from __future__ import annotations

SEPARATOR = "\x1f"


class Compartment(str):
    """The name of a compartment; made by :func:`compartment`, accepted wherever a namespace is."""

    __slots__ = ()


def compartment(namespace: str, kind: str) -> Compartment:
    """Name the compartment of ``namespace`` that holds ``kind``.

    Parameters
    ----------
    namespace : of a memory; may be a compartment itself.
    kind : what is kept there, such as ``"messages"``.
    """
    return Compartment(f"{namespace}{SEPARATOR}{kind}")
