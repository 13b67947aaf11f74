"""Clauses that every question to Chroma may need."""

from __future__ import annotations

from axon.adapters._filters.chroma import EXPIRES_AT, ChromaCompiler, Where, both


def alive(where: Where | bool, now_us: int) -> Where | bool:
    """Add that the entry has not expired."""
    return both(where, ChromaCompiler().compare(EXPIRES_AT, "gt", now_us))


def as_where(where: Where | bool) -> Where | None:
    """Give Chroma no clause where everything matches; what matches nothing is never asked."""
    return where if isinstance(where, dict) else None
