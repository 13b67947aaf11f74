"""One column per filterable field, filled when a filter first asks for it and kept in step from then on.

A predicate is a function of one value (``core/filter/evaluate.py``), so a column evaluates it once per
*distinct* value and looks the answer up for every row. The evaluator itself gives the answers: the index
cannot disagree with it. Numbers and times, which are rarely repeated, are compared by numpy instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.core.clock import to_datetime, to_us
from axon.core.filter.ast import Contains, Eq, Field, Gt, Gte, In, Lt, Lte, Ne, Nin, Predicate
from axon.core.filter.evaluate import MISSING, holds
from axon.core.models import EntryRecord

Mask = NDArray[np.bool_]
Records = Sequence[EntryRecord | None]

_COMPARE: dict[type[Predicate], Callable[..., Any]] = {
    Eq: np.equal, Ne: np.not_equal, Lt: np.less, Lte: np.less_equal, Gt: np.greater, Gte: np.greater_equal,
}  # fmt: skip
_EXACT_INTEGERS = 2**53
_NO_CODE = -2


class Column(ABC):
    """The values of one field, by row. Rows of deleted entries hold anything; the caller masks them out."""

    @abstractmethod
    def extend(self, records: Records) -> None:
        """Add the values of the next rows."""

    @abstractmethod
    def mask(self, predicate: Predicate, size: int) -> Mask:
        """Tell for each of the first ``size`` rows whether ``predicate`` holds."""

    @abstractmethod
    def select(self, rows: NDArray[np.intp]) -> None:
        """Keep only some rows, in this order."""


class CodedColumn(Column):
    """A field with repeated values: each row holds the number of its value.

    Parameters
    ----------
    read : gives the value of a record, or ``MISSING``.
    """

    def __init__(self, read: Callable[[EntryRecord], Any]) -> None:
        self._read = read
        self._codes = array("i")
        self._code_of: dict[Hashable, int] = {}
        self._values: list[Any] = []

    def extend(self, records: Records) -> None:
        """Add the values of the next rows."""
        read, code_of, values = self._read, self._code_of, self._values
        codes = []
        for record in records:
            value = MISSING if record is None else read(record)
            if value is MISSING:
                codes.append(-1)
                continue
            token = canonical(value)
            code = code_of.get(token)
            if code is None:
                code = code_of[token] = len(values)
                values.append(value)
            codes.append(code)
        # A fresh array instead of growth in place: numpy views of the old one may be in use by a reader.
        self._codes = self._codes + array("i", codes)

    def mask(self, predicate: Predicate, size: int) -> Mask:
        """Tell for each of the first ``size`` rows whether ``predicate`` holds."""
        codes = np.frombuffer(self._codes, np.int32, size)
        match predicate:
            case Eq(value=wanted) | Ne(value=wanted):
                code = self._code_of.get(canonical(wanted), _NO_CODE)
                same: Mask = codes == code
                return same if isinstance(predicate, Eq) else ~same
            case In(values=several) | Nin(values=several):
                answers = np.zeros(len(self._values) + 1, np.bool_)
                found = (self._code_of.get(canonical(value), _NO_CODE) for value in several)
                answers[[code for code in found if code != _NO_CODE]] = True
                return answers[codes] if isinstance(predicate, In) else ~answers[codes]
        answers = np.empty(len(self._values) + 1, np.bool_)
        answers[:-1] = [holds(predicate, value) for value in self._values]
        answers[-1] = holds(predicate, MISSING)
        return answers[codes]

    def select(self, rows: NDArray[np.intp]) -> None:
        """Keep only some rows, in this order."""
        kept = np.frombuffer(self._codes, np.int32)[rows]
        self._codes = array("i", kept.tobytes())


class NumberColumn(Column):
    """A numeric field, compared by numpy.

    Parameters
    ----------
    read : gives the number of a record, or ``MISSING``.
    dtype : float64 for numbers, int64 for times in microseconds.
    restore : turns a stored number back into the field's value, for predicates that are no comparison.
    """

    def __init__(
        self, read: Callable[[EntryRecord], Any], dtype: type[np.generic], restore: Callable[[Any], Any]
    ) -> None:
        self._read = read
        self._restore = restore
        self.values = np.empty(0, dtype)
        self.present = np.empty(0, np.bool_)
        self._size = 0

    def extend(self, records: Records) -> None:
        """Add the values of the next rows."""
        read = self._read
        added = [MISSING if record is None else read(record) for record in records]
        stop = self._size + len(added)
        if stop > self.values.shape[0]:
            room = max(1024, stop + stop // 4)
            self.values = np.concatenate(
                [self.values[: self._size], np.zeros(room - self._size, self.values.dtype)]
            )
            self.present = np.concatenate([self.present[: self._size], np.zeros(room - self._size, np.bool_)])
        self.values[self._size : stop] = [0 if value is MISSING else value for value in added]
        self.present[self._size : stop] = [value is not MISSING for value in added]
        self._size = stop

    def mask(self, predicate: Predicate, size: int) -> Mask:
        """Tell for each of the first ``size`` rows whether ``predicate`` holds."""
        values, present = self.values[:size], self.present[:size]
        compare = _COMPARE.get(type(predicate))
        if compare is not None:
            operand = self._operand(predicate.value)  # type: ignore[attr-defined]  # every node of _COMPARE has a value
            if operand is not None:
                mask: Mask = compare(values, operand)
                return mask | ~present if isinstance(predicate, Ne) else mask & present
        return self._by_distinct_value(predicate, values, present)

    def _operand(self, value: Any) -> Any:
        """Give the operand as numpy compares it exactly, or None."""
        if self.values.dtype.kind == "i":
            return to_us(value) if isinstance(value, datetime) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return value if isinstance(value, float) or abs(value) <= _EXACT_INTEGERS else None

    def _by_distinct_value(self, predicate: Predicate, values: NDArray[Any], present: Mask) -> Mask:
        distinct, inverse = np.unique(values, return_inverse=True)
        answers = np.array([holds(predicate, self._restore(value.item())) for value in distinct], np.bool_)
        mask = answers[inverse] if distinct.shape[0] else np.zeros(values.shape[0], np.bool_)
        mask[~present] = holds(predicate, MISSING)
        return mask

    def select(self, rows: NDArray[np.intp]) -> None:
        """Keep only some rows, in this order."""
        self.values, self.present = self.values[rows], self.present[rows]
        self._size = rows.shape[0]


class TagColumn(Column):
    """The tags: sorted posting lists for ``contains``, whole lists for everything else."""

    def __init__(self) -> None:
        self._postings: dict[str, array[int]] = {}
        self._whole = CodedColumn(lambda record: list(record.tags))
        self._size = 0

    def extend(self, records: Records) -> None:
        """Add the values of the next rows."""
        postings = self._postings
        for row, record in enumerate(records, self._size):
            for tag in () if record is None else record.tags:
                rows = postings.get(tag)
                if rows is None:
                    rows = postings[tag] = array("q")
                rows.append(row)
        self._size += len(records)
        self._whole.extend(records)

    def mask(self, predicate: Predicate, size: int) -> Mask:
        """Tell for each of the first ``size`` rows whether ``predicate`` holds."""
        if not isinstance(predicate, Contains):
            return self._whole.mask(predicate, size)
        masks = [self._tagged(tag, size) for tag in predicate.values]
        if not masks:
            return np.zeros(size, np.bool_)
        mask = masks[0]
        for other in masks[1:]:
            mask = mask | other if predicate.mode == "any" else mask & other
        return mask

    def _tagged(self, tag: Any, size: int) -> Mask:
        mask = np.zeros(size, np.bool_)
        rows = self._postings.get(tag) if isinstance(tag, str) else None
        if rows is not None:
            found = np.array(rows, np.int64)
            mask[found if rows[-1] < size else found[: found.searchsorted(size)]] = True
        return mask

    def select(self, rows: NDArray[np.intp]) -> None:
        """Keep only some rows, in this order."""
        place = np.full(self._size, -1, np.int64)
        place[rows] = np.arange(rows.shape[0])
        for tag, posted in list(self._postings.items()):
            moved = place[np.frombuffer(posted, np.int64)]
            moved = moved[moved >= 0]
            if moved.shape[0]:
                self._postings[tag] = array("q", moved.tobytes())
            else:
                del self._postings[tag]
        self._whole.select(rows)
        self._size = rows.shape[0]


def make_column(field: Field) -> Column:
    """Make the empty column of a field."""
    if field.is_metadata:
        name = field.name
        return CodedColumn(lambda record: record.metadata.get(name, MISSING))
    if field.name == "tags":
        return TagColumn()
    if field.name == "importance":
        return NumberColumn(lambda record: record.importance, np.float64, float)
    if field.name in _TIMES:
        read = _TIMES[field.name]
        return NumberColumn(read, np.int64, to_datetime)
    return CodedColumn(_TEXTS[field.name])


def _or_missing(value: Any) -> Any:
    return MISSING if value is None else value


_TIMES: dict[str, Callable[[EntryRecord], Any]] = {
    "created_at": lambda record: record.created_us,
    "updated_at": lambda record: record.updated_us,
    "expires_at": lambda record: _or_missing(record.expires_us),
}
_TEXTS: dict[str, Callable[[EntryRecord], Any]] = {
    "id": lambda record: record.id,
    "session_id": lambda record: _or_missing(record.session_id),
    "tier": lambda record: MISSING,
}


def canonical(value: Any) -> Hashable:
    """Map a JSON value or a time to a key that is equal exactly where ``evaluate.equal`` says so."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]  # a str; every other kind becomes a tuple, so none collides
    if value is None or kind is bool:
        return ("constant", value)
    if kind is list:
        return ("list", *map(canonical, value))
    if kind is dict:
        return ("dict", frozenset((key, canonical(item)) for key, item in value.items()))
    return ("number", value)
