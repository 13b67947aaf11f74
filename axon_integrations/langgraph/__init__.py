"""Axon as LangGraph's long-term memory: ``AxonStore`` is a ``BaseStore`` over the tiers of a memory.

Names load when first used, so that importing this package costs nothing and needs no LangGraph.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from axon.core.errors import MissingDependencyError

if TYPE_CHECKING:
    from axon_integrations.langgraph.store import AxonStore

__all__ = ["AxonStore"]


def __getattr__(name: str) -> object:
    if name != "AxonStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.store")
    except ModuleNotFoundError as error:
        # `langgraph` may be installed without `langgraph.store`, and the store needs LangChain's embeddings.
        if (error.name or "").partition(".")[0] in ("langgraph", "langchain_core"):
            raise MissingDependencyError("langgraph-checkpoint", "langgraph") from error
        raise
    return module.AxonStore


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
