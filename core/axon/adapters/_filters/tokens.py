"""Tokens: one list of strings per entry that makes equality, membership and presence native on any backend.

A backend that can tell whether a list of strings holds a given string can then answer every predicate but the
orders, prefixes and substrings of texts, with missing fields right: "equals" becomes "holds the token of that
value", "differs" becomes "lacks it". Numbers are canonical, so that 2 and 2.0 share a token and True and 1 do
not. Nothing a user writes becomes syntax: a token is a value, and its parts carry their lengths.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, TypeGuard

from axon.core.clock import to_us
from axon.core.errors import UnsupportedFilterError
from axon.core.filter.ast import TIME_FIELDS, Exists, Field, IsEmpty, Ordered, Predicate, Prefix, TextMatch
from axon.core.filter.visitor import Support
from axon.core.models import EntryRecord, JsonValue

NEVER = 1 << 62
"""Time of expiry of an entry that does not expire; beyond every datetime, and exact as a float."""

EXACT = 1 << 53
"""Below this every whole number is exact as a float64, and comparing with one such number is exact for all."""

TEXT_FIELDS = frozenset({"session_id", "id"})

_LONGEST = 64


def eq_token(field: Field, value: JsonValue) -> str:
    """Token of "the field equals ``value``"."""
    return _token("=", field, _canonical(value))


def element_token(field: Field, value: JsonValue) -> str:
    """Token of "the field is a list that holds ``value``"."""
    return _token("[", field, _canonical(value))


def number_token(field: Field) -> str:
    """Token of "the field is a number"."""
    return _token("#", field, "")


def other_token(field: Field) -> str:
    """Token of "the field is there and is no number"."""
    return _token("?", field, "")


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether ``value`` is a number in the sense of filters, which True is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_exact_whole(value: object) -> TypeGuard[int | float]:
    """Tell whether ``value`` is a whole number that a float64 holds exactly and tells from every other number."""
    return is_number(value) and -EXACT < value < EXACT and value == int(value)


def tokens_of(record: EntryRecord, *, wholes: bool = True) -> list[str]:
    """List the tokens of an entry, without repeats; never empty, because its id has one.

    Parameters
    ----------
    record : the entry.
    wholes : include "the field equals" for whole numbers; False where the backend compares them as numbers.
    """
    tags = Field("tags")
    found = [eq_token(Field("id"), record.id), eq_token(tags, list(record.tags))]
    found += [element_token(tags, tag) for tag in record.tags]
    if record.session_id is not None:
        session = Field("session_id")
        found += [other_token(session), eq_token(session, record.session_id)]
    for key, value in record.metadata.items():
        field = Field(key, is_metadata=True)
        found.append(number_token(field) if is_number(value) else other_token(field))
        if wholes or not is_exact_whole(value):
            found.append(eq_token(field, value))
        if isinstance(value, list):
            found += [element_token(field, each) for each in value]
    return list(dict.fromkeys(found))


def numbers_of(record: EntryRecord) -> dict[str, float]:
    """Return the user's numbers by key, as floats; what is beyond them becomes the largest one."""
    return {key: as_float(value) for key, value in record.metadata.items() if is_number(value)}


def as_float(value: float) -> float:
    """Round a number to a finite float64, keeping its order against all whole numbers below ``EXACT``."""
    try:
        return float(value)
    except OverflowError:
        return 1.7976931348623157e308 if value > 0 else -1.7976931348623157e308


def support_of(predicate: Predicate, exact_times: bool) -> Support:
    """Tell what a backend with tokens and numeric fields does with one predicate.

    Parameters
    ----------
    predicate : the question.
    exact_times : the backend compares 64-bit integers exactly, not as float64.
    """
    field = predicate.field
    if field.name == "tier" and not field.is_metadata:
        return Support.RESIDUAL
    is_text = field.is_metadata or field.name in TEXT_FIELDS
    if isinstance(predicate, Prefix | TextMatch):
        return Support.RESIDUAL if is_text else Support.SUPPORTED
    if isinstance(predicate, Ordered):
        bound = predicate.value
        if is_text and isinstance(bound, str):
            return Support.RESIDUAL
        if field.is_metadata and is_number(bound) and not -EXACT < bound < EXACT:
            return Support.RESIDUAL
    if field.name in TIME_FIELDS and not field.is_metadata and not exact_times:
        return _support_of_times(predicate)
    return Support.SUPPORTED


def _support_of_times(predicate: Predicate) -> Support:
    if isinstance(predicate, Exists | IsEmpty):
        return Support.SUPPORTED
    values: Sequence[Any] = getattr(predicate, "values", None) or [getattr(predicate, "value", None)]
    moments = [to_us(value) for value in values if hasattr(value, "tzinfo")]
    return Support.SUPPORTED if all(-EXACT < us < EXACT for us in moments) else Support.RESIDUAL


def _token(kind: str, field: Field, value: str) -> str:
    name = field.name
    owner = "m" if field.is_metadata else "f"
    token = f"{kind}{owner}{len(name)}:{name}{value}"
    is_short = len(token) <= _LONGEST
    if is_short and token.isascii():
        return token
    # A filter may hold a lone surrogate, which no entry and no backend can.
    data = token.encode(errors="surrogatepass")
    if is_short and b"\xed" not in data:
        return token
    return "~" + blake2b(data, digest_size=16).hexdigest()


def _canonical(value: JsonValue) -> str:
    """Write a JSON value so that two are written alike exactly where filters call them equal."""
    if isinstance(value, str):
        return "s" + value
    if value is None or isinstance(value, bool):
        return {None: "n", True: "t", False: "f"}[value]
    if isinstance(value, int):
        return f"i{value:x}"
    if isinstance(value, float):
        return f"i{int(value):x}" if value.is_integer() else f"d{value!r}"
    if isinstance(value, list):
        return "l" + json.dumps([_canonical(each) for each in value])
    if isinstance(value, dict):
        return "o" + json.dumps({key: _canonical(value[key]) for key in sorted(value)})
    if hasattr(value, "isoformat"):
        return f"@{value.isoformat()}"
    raise UnsupportedFilterError(f"{type(value).__name__} is no value of a filter")
