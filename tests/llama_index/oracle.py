"""What a ``MetadataFilters`` means, straight from the table of operators: no tree, no code of Axon's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters

MISSING = object()
RESERVED = ("tags", "importance", "tier", "session_id", "created_at", "updated_at", "expires_at", "id")
TIMES = ("created_at", "updated_at", "expires_at")
DOC_IDS = ("doc_id", "document_id", "ref_doc_id")


@dataclass
class Stored:
    """A node as a user knows it, and the fields of its entry."""

    metadata: Mapping[str, Any]
    ref_doc_id: str | None
    fields: Mapping[str, Any] = field(default_factory=dict)


def passes(filters: MetadataFilters | None, stored: Stored) -> bool:
    verdict = None if filters is None else group_passes(filters, stored)
    return verdict is None or verdict


def group_passes(group: MetadataFilters, stored: Stored) -> bool | None:
    """None for a group without any condition."""
    verdicts = [
        group_passes(each, stored) if isinstance(each, MetadataFilters) else filter_passes(each, stored)
        for each in group.filters
    ]
    known = [verdict for verdict in verdicts if verdict is not None]
    if not known:
        return None
    condition = "and" if group.condition is None else group.condition.value
    return {"and": all(known), "or": any(known), "not": not any(known)}[condition]


def filter_passes(one: MetadataFilter, stored: Stored) -> bool:
    value = look_up(one.key, stored)
    operand: Any = one.value
    if one.key == "tags":
        return tags_pass(one.operator.value, value, operand)
    if one.key in TIMES and one.operator.value != "is_empty":
        operand = [moment(each) for each in operand] if isinstance(operand, list) else moment(operand)
    return value_passes(one.operator.value, MISSING if value is None else value, operand)


def look_up(key: str, stored: Stored) -> Any:
    if key in RESERVED:
        return stored.fields.get(key, MISSING)
    explicit = key.startswith("metadata.")
    name = key[len("metadata.") :] if explicit else key
    if name in stored.metadata:
        return stored.metadata[name]
    if name in DOC_IDS and not explicit:
        return MISSING if stored.ref_doc_id is None else stored.ref_doc_id
    return walk(stored.metadata, name)


def walk(source: Mapping[str, Any], path: str) -> Any:
    """Follow a dotted path; keys may hold dots themselves."""
    for key, value in source.items():
        if path == key:
            return value
        if path.startswith(f"{key}.") and isinstance(value, dict):
            found = walk(value, path[len(key) + 1 :])
            if found is not MISSING:
                return found
    return MISSING


def moment(operand: Any) -> datetime | None:
    if operand is None:
        return None
    if isinstance(operand, str):
        read = datetime.fromisoformat(operand)
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    return datetime.fromtimestamp(operand, UTC)


def value_passes(word: str, value: Any, operand: Any) -> bool:
    match word:
        case "==":
            return operand is not None and same(value, operand)
        case "!=":
            return operand is None or not same(value, operand)
        case ">" | ">=" | "<" | "<=":
            return ordered(word, value, operand)
        case "in":
            return any(same(value, each) for each in operand)
        case "nin":
            return not any(same(value, each) for each in operand)
        case "contains":
            return holds(value, operand)
        case "any":
            return any(holds(value, each) for each in operand)
        case "all":
            return value is not MISSING and all(holds(value, each) for each in operand)
        case "text_match":
            return isinstance(value, str) and operand in value
        case "text_match_insensitive":
            return isinstance(value, str) and operand.lower() in value.lower()
        case "is_empty":
            return value is MISSING or value == "" or (isinstance(value, list) and value == [])
    raise AssertionError(word)


def tags_pass(word: str, tags: list[str], operand: Any) -> bool:
    match word:
        case "==" | "!=":
            wanted = operand if isinstance(operand, list) else [operand]
            has = operand is not None and bool(wanted) and all(each in tags for each in wanted)
            return has if word == "==" else not has
        case "in" | "any":
            return any(each in tags for each in operand)
        case "nin":
            return not any(each in tags for each in operand)
        case "contains":
            return operand in tags
        case "all":
            return bool(operand) and all(each in tags for each in operand)
        case "is_empty":
            return not tags
    return False


def same(value: Any, operand: Any) -> bool:
    if value is MISSING or isinstance(value, bool):
        return False
    if isinstance(value, list) and isinstance(operand, list):
        return len(value) == len(operand) and all(same(a, b) for a, b in zip(value, operand, strict=True))
    return bool(value == operand)


def ordered(word: str, value: Any, operand: Any) -> bool:
    number = (int, float)
    comparable = (
        (isinstance(value, number) and isinstance(operand, number) and not isinstance(value, bool))
        or (isinstance(value, str) and isinstance(operand, str))
        or (isinstance(value, datetime) and isinstance(operand, datetime))
    )
    if not comparable:
        return False
    return {">": value > operand, ">=": value >= operand, "<": value < operand, "<=": value <= operand}[word]


def holds(value: Any, operand: Any) -> bool:
    if isinstance(value, list):
        return any(same(element, operand) for element in value)
    return isinstance(value, str) and isinstance(operand, str) and operand in value
