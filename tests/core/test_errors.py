"""The error tree: what a caller may rely on when catching."""

from __future__ import annotations

import inspect
import pickle

import pytest

from axon.core import errors
from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    AxonError,
    ConfigError,
    CorruptEntryError,
    CorruptStoreError,
    EmbeddingError,
    EmbeddingMismatchError,
    EmptyTextError,
    FilterError,
    InvalidFilterError,
    InvalidInputError,
    MissingDependencyError,
    RateLimited,
    SchemaVersionError,
    SyncCallError,
    TierError,
    UnknownEntryError,
    UnsupportedFilterError,
    at_position,
)

PARENTS: list[tuple[type[AxonError], tuple[type[BaseException], ...]]] = [
    (ConfigError, (AxonError, ValueError)),
    (MissingDependencyError, (AxonError, ImportError)),
    (InvalidInputError, (AxonError, ValueError)),
    (UnknownEntryError, (InvalidInputError, LookupError)),
    (FilterError, (InvalidInputError,)),
    (InvalidFilterError, (FilterError, ValueError)),
    (UnsupportedFilterError, (FilterError, ValueError)),
    (EmbeddingError, (AxonError,)),
    (EmptyTextError, (EmbeddingError, ValueError)),
    (EmbeddingMismatchError, (EmbeddingError, ValueError)),
    (AdapterError, (AxonError,)),
    (AdapterTimeout, (AdapterError, TimeoutError)),
    (AdapterUnavailable, (AdapterError, ConnectionError)),
    (RateLimited, (AdapterError,)),
    (SchemaVersionError, (AdapterError,)),
    (CorruptStoreError, (AdapterError,)),
    (CorruptEntryError, (AdapterError,)),
    (TierError, (AxonError,)),
    (SyncCallError, (AxonError, RuntimeError)),
]


def all_errors() -> set[type[AxonError]]:
    found = (each for _, each in inspect.getmembers(errors, inspect.isclass))
    return {each for each in found if issubclass(each, AxonError)}


@pytest.mark.parametrize(
    ("error", "parents"), PARENTS, ids=lambda value: getattr(value, "__name__", "parents")
)
def test_an_error_has_its_parents(error: type[AxonError], parents: tuple[type[BaseException], ...]) -> None:
    for parent in parents:
        assert issubclass(error, parent)


def test_the_table_holds_every_error() -> None:
    assert all_errors() == {AxonError, *(error for error, _ in PARENTS)}


def test_the_drawing_on_top_of_the_file_holds_every_error() -> None:
    drawing = inspect.getdoc(errors)
    assert drawing is not None
    for error in all_errors():
        builtin = [
            base.__name__
            for base in error.__bases__
            if base.__module__ == "builtins" and base is not Exception
        ]
        lines = [line for line in drawing.splitlines() if error.__name__ in line.split()]
        assert len(lines) == 1, error.__name__
        for name in builtin:
            assert f"[{name}]" in lines[0], f"{error.__name__} is drawn without its parent {name}"


def test_a_missing_dependency_says_what_to_run() -> None:
    error = MissingDependencyError("qdrant-client", "qdrant")
    assert "pip install 'axon-integrations[qdrant]'" in str(error)
    assert (error.package, error.extra) == ("qdrant-client", "qdrant")


def test_errors_carry_what_the_caller_needs() -> None:
    cause = AdapterTimeout("no answer")
    tier = TierError("session", cause)
    assert (tier.tier, tier.cause) == ("session", cause)
    assert "session" in str(tier)
    assert "no answer" in str(tier)
    assert RateLimited("slow down", 1.5).retry_after == 1.5
    assert RateLimited("slow down").retry_after is None
    assert CorruptEntryError("bad row", "id 1").entry_id == "id 1"


@pytest.mark.parametrize(
    "error",
    [
        MissingDependencyError("redis", "redis"),
        RateLimited("slow down", 2.0),
        CorruptEntryError("bad row", "id"),
        TierError("session", AdapterTimeout("no answer")),
        EmptyTextError("blank"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross_process_boundaries(error: AxonError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert repr(back.__dict__) == repr(error.__dict__)


def test_a_position_is_named_and_the_type_kept() -> None:
    error = at_position(EmptyTextError("text is blank"), 3, 0)
    assert type(error) is EmptyTextError
    assert (error.index, error.stored) == (3, 0)
    assert str(error) == "item 3: text is blank (nothing of this call was stored)"
    assert "2 items" in str(at_position(InvalidInputError("bad"), 3, 2))
    assert "EmbeddingError" in str(at_position(EmbeddingError(), 0, 0))


def test_an_error_outside_a_bulk_call_has_no_position() -> None:
    assert (AxonError("x").index, AxonError("x").stored) == (None, None)
