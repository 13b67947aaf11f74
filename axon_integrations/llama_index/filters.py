"""LlamaIndex's ``MetadataFilters`` as a filter tree of Axon's.

The tree means the same on every version of llama-index-core. Where a literal metadata key is missing, a
dotted key means the path of that name in nested dicts, and ``doc_id``, ``document_id`` and ``ref_doc_id``
mean the document that a node came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters

from axon.core.errors import InvalidFilterError, UnsupportedFilterError
from axon.core.filter.ast import (
    EVERYTHING,
    NOTHING,
    RESERVED_FIELDS,
    TIME_FIELDS,
    Contains,
    Eq,
    Everything,
    Exists,
    Field,
    FilterNode,
    FilterValue,
    Gt,
    Gte,
    In,
    IsEmpty,
    Lt,
    Lte,
    Ne,
    Nin,
    Nothing,
    TextMatch,
    all_of,
    any_of,
    negate,
)
from axon.core.filter.parse import MAX_DEPTH, filter_value
from axon_integrations.llama_index.nodes import PATH_PREFIX, REF_DOC_ID

DOC_ID_KEYS = frozenset({"doc_id", "document_id", "ref_doc_id"})

_TAGS = Field("tags")
_TIME_OPERATORS = frozenset({"==", "!=", ">", ">=", "<", "<=", "in", "nin"})


def compile_filters(filters: MetadataFilters | None) -> FilterNode:
    """Lower filters of any depth to a tree.

    Parameters
    ----------
    filters : None and groups without any condition match everything at the top and are left out elsewhere.

    Raises
    ------
    UnsupportedFilterError
        For an operator or condition that is unknown or has no meaning on its field; the message names it.
    InvalidFilterError
        For an operand of the wrong kind.
    """
    if filters is None:
        return EVERYTHING
    node = _compile_group(filters, 0)
    return EVERYTHING if node is None else node


def from_documents(ref_doc_ids: Sequence[str]) -> FilterNode:
    """Nodes that came from one of these documents; none for an empty sequence."""
    return In(REF_DOC_ID, tuple(ref_doc_ids)) if ref_doc_ids else NOTHING


def of_document(ref_doc_id: str) -> FilterNode:
    """Nodes that came from this document, and the node that is the document, if no splitter cut it."""
    whole = all_of((negate(Exists(REF_DOC_ID)), Eq(Field("id"), ref_doc_id)))
    return any_of((Eq(REF_DOC_ID, ref_doc_id), whole))


def with_ids(node_ids: Sequence[str]) -> FilterNode:
    """Nodes with one of these ids; none for an empty sequence."""
    return In(Field("id"), tuple(node_ids)) if node_ids else NOTHING


def _compile_group(group: MetadataFilters, depth: int) -> FilterNode | None:
    """Lower one group; None if it holds no condition at all."""
    if depth > MAX_DEPTH:
        raise InvalidFilterError(f"MetadataFilters may be nested {MAX_DEPTH} levels deep")
    lowered = [
        _compile_group(each, depth + 1) if isinstance(each, MetadataFilters) else _compile_filter(each)
        for each in group.filters
    ]
    children = [node for node in lowered if node is not None]
    condition = "and" if group.condition is None else group.condition.value
    if condition not in ("and", "or", "not"):
        raise UnsupportedFilterError(
            f"filter condition {condition!r} is not supported; use 'and', 'or' or 'not'"
        )
    if not children:
        return None
    if condition == "and":
        return all_of(children)
    return any_of(children) if condition == "or" else negate(any_of(children))


def _compile_filter(one: MetadataFilter) -> FilterNode:
    word, key, operand = one.operator.value, one.key, one.value
    if word == "is_empty":
        return _on_key(key, IsEmpty)
    build = _OPERATORS.get(word)
    if build is None:
        raise UnsupportedFilterError(f"filter operator {word!r} on {key!r} is not supported")
    if key in TIME_FIELDS and word not in _TIME_OPERATORS:
        raise UnsupportedFilterError(f"{word!r} has no meaning on the time {key!r}; compare it instead")
    if operand is None:
        if word in ("==", "!="):
            return NOTHING if word == "==" else EVERYTHING
        raise InvalidFilterError(f"{word!r} on {key!r} needs a value, not None")
    return _on_key(key, _bind(build, operand, word))


def _on_key(key: str, build: Callable[[Field], FilterNode]) -> FilterNode:
    """Apply a predicate to the field that ``key`` means: the literal key where present, else its fallback."""
    literal = Field.parse(key)
    node = build(literal)
    fallback = _fallback(key, literal.name)
    if key in RESERVED_FIELDS or fallback is None or isinstance(node, Everything | Nothing):
        return node
    present = Exists(literal)
    return any_of((all_of((present, node)), all_of((negate(present), build(fallback)))))


def _fallback(key: str, name: str) -> Field | None:
    if key in DOC_ID_KEYS:
        return REF_DOC_ID
    return Field(PATH_PREFIX + name, is_metadata=True) if "." in name else None


# What MetadataFilter.value may hold, None excepted.
Operand = int | float | str | list[str] | list[float] | list[int]
Builder = Callable[[Field, Operand, str], FilterNode]


def _bind(build: Builder, operand: Operand, word: str) -> Callable[[Field], FilterNode]:
    return lambda field: build(field, operand, word)


def _equality(field: Field, operand: Operand, word: str) -> FilterNode:
    if field == _TAGS:
        return Contains(field, _values(field, operand if isinstance(operand, list) else [operand]))
    return Eq(field, filter_value(field, operand))


def _inequality(field: Field, operand: Operand, word: str) -> FilterNode:
    return (
        negate(_equality(field, operand, word)) if field == _TAGS else Ne(field, filter_value(field, operand))
    )


def _membership(field: Field, operand: Operand, word: str) -> FilterNode:
    values = _list(field, operand, word)
    return Contains(field, values, "any") if field == _TAGS else In(field, values)


def _non_membership(field: Field, operand: Operand, word: str) -> FilterNode:
    values = _list(field, operand, word)
    return negate(Contains(field, values, "any")) if field == _TAGS else Nin(field, values)


def _ordered(kind: type[Lt] | type[Lte] | type[Gt] | type[Gte]) -> Builder:
    def build(field: Field, operand: Operand, word: str) -> FilterNode:
        if isinstance(operand, list):
            raise UnsupportedFilterError(f"{word!r} on {field} cannot order by a list: {operand!r}")
        return kind(field, filter_value(field, operand))

    return build


def _contains_one(field: Field, operand: Operand, word: str) -> FilterNode:
    return _holding(field, (filter_value(field, operand),))


def _contains_any(field: Field, operand: Operand, word: str) -> FilterNode:
    return _holding(field, _list(field, operand, word))


def _contains_all(field: Field, operand: Operand, word: str) -> FilterNode:
    values = _list(field, operand, word)
    if field == _TAGS:
        return Contains(field, values, "all")
    if not values:
        return all_of((Exists(field), Ne(field, None)))
    return all_of(_holding(field, (value,)) for value in values)


def _holding(field: Field, values: tuple[FilterValue, ...]) -> FilterNode:
    """One of ``values`` is in the field: an element of a list, or part of a string."""
    inside: FilterNode = Contains(field, values, "any")
    if field == _TAGS:
        return inside
    return any_of([inside, *(TextMatch(field, value) for value in values if isinstance(value, str))])


def _text(case_sensitive: bool) -> Builder:
    def build(field: Field, operand: Operand, word: str) -> FilterNode:
        if not isinstance(operand, str):
            raise InvalidFilterError(f"{word!r} on {field} needs a string, not {operand!r}")
        return TextMatch(field, str(filter_value(field, operand)), case_sensitive)

    return build


def _list(field: Field, operand: Operand, word: str) -> tuple[FilterValue, ...]:
    if not isinstance(operand, list):
        raise InvalidFilterError(f"{word!r} on {field} needs a list, not {operand!r}")
    return _values(field, operand)


def _values(field: Field, operands: Sequence[FilterValue]) -> tuple[FilterValue, ...]:
    return tuple(filter_value(field, operand) for operand in operands)


# Keyed by the operators' values, because an older core may lack a member.
_OPERATORS: dict[str, Builder] = {
    "==": _equality,
    "!=": _inequality,
    ">": _ordered(Gt),
    ">=": _ordered(Gte),
    "<": _ordered(Lt),
    "<=": _ordered(Lte),
    "in": _membership,
    "nin": _non_membership,
    "contains": _contains_one,
    "any": _contains_any,
    "all": _contains_all,
    "text_match": _text(case_sensitive=True),
    "text_match_insensitive": _text(case_sensitive=False),
}
