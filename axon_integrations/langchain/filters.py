"""Everything that LangChain users pass as ``filter=``, lowered to Axon's filter tree."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from langchain_core.documents import Document
from langchain_core.structured_query import FilterDirective, StructuredQuery

from axon.core.errors import InvalidFilterError
from axon.core.filter import Filter, as_node
from axon.core.filter.ast import EVERYTHING, FilterNode
from axon.core.filter.parse import parse_filter
from axon_integrations.langchain.translator import AxonTranslator

DocumentPredicate: TypeAlias = Callable[[Document], bool]
"""Tells whether a document may be returned; runs on the event loop, so it must be quick."""

LangChainFilter: TypeAlias = (
    Filter | FilterNode | Mapping[str, Any] | FilterDirective | DocumentPredicate | None
)


def to_filter(source: LangChainFilter) -> tuple[FilterNode, DocumentPredicate | None]:
    """Lower a filter.

    Parameters
    ----------
    source : an Axon ``Filter`` or tree, the dict form, the filter of a structured query, a function of a
        document, or None. None, ``{}`` and ``Filter()`` match everything.

    Returns
    -------
    (node, predicate) : the declarative part, and what only Python can check (None unless ``source`` is a
        function). A document must pass both.

    Raises
    ------
    UnsupportedFilterError
        For an operator that is unknown or cannot be expressed.
    InvalidFilterError
        For anything else that cannot be read, asynchronous functions included.
    """
    if source is None or isinstance(source, Filter | FilterNode | Mapping):
        return as_node(source), None
    if isinstance(source, FilterDirective):
        return parse_filter(source.accept(AxonTranslator())), None
    if isinstance(source, StructuredQuery):
        raise InvalidFilterError(
            "filter= takes the filter of a structured query: pass structured_query.filter"
        )
    if not callable(source):
        raise InvalidFilterError(
            "filter= takes an Axon Filter, a dict, a function of a Document or the filter of a structured "
            f"query, not {type(source).__name__}"
        )
    if inspect.iscoroutinefunction(source) or inspect.iscoroutinefunction(getattr(source, "__call__", None)):  # noqa: B004  # an object whose __call__ is a coroutine function
        raise InvalidFilterError(
            "a filter function must be an ordinary one: a coroutine would always count as true"
        )
    return EVERYTHING, source
