"""The local index against the order in which changes and pages may arrive."""

from __future__ import annotations

from collections.abc import Sequence

from axon.adapters._redis.operations import Changed, Version
from axon.adapters._redis.packing import pack
from axon.adapters._redis.replica import PageOfChanges, Position, Replica, Touched, Written
from axon.engine.arena import Arena
from axon.testing.entries import make_entry

EPOCH = b"e"
NONE = Touched((), ())


def page(
    seq: int, texts: dict[str, str], *, gone: Sequence[bytes] = (), more: bool = False
) -> tuple[PageOfChanges, Written]:
    ids = [id.encode() for id in texts]
    rows = [(pack(make_entry(id, text=text)), None) for id, text in texts.items()]
    return PageOfChanges(EPOCH, seq, 0, ids, seq, more, list(gone), []), Written(ids, rows)


def put(replica: Replica, first: int, text: str, id: str = "a", epoch: bytes = EPOCH) -> None:
    replica.note(Changed(epoch, first, first), lambda arena: arena.put([make_entry(id, text=text)]))


def loaded(seq: int, texts: dict[str, str]) -> Replica:
    replica = Replica(lambda: Arena(text_index=False), lambda arena: None)
    at = replica.start_reading(Version(EPOCH, seq))
    assert replica.apply(at, *page(seq, texts), NONE) is not None
    replica.stop_reading()
    return replica


def texts_of(replica: Replica, seq: int) -> dict[str, str] | None:
    arena = replica.current(Version(EPOCH, seq))
    if arena is None:
        return None
    found = (arena.get(id, 0) for id in ("a", "b", "c"))
    return {entry.id: entry.text for entry in found if entry is not None}


def test_changes_of_our_own_are_applied_in_their_order() -> None:
    replica = loaded(1, {"a": "v1"})
    put(replica, 3, "v3")
    assert texts_of(replica, 2) is None
    put(replica, 2, "v2")
    assert texts_of(replica, 3) == {"a": "v3"}


def test_a_change_from_before_the_namespace_was_cleared_is_not_applied() -> None:
    replica = loaded(1, {"a": "v1"})
    put(replica, 2, "other", epoch=b"old")
    assert texts_of(replica, 1) == {"a": "v1"}
    assert texts_of(replica, 2) is None


def test_a_page_that_shows_the_past_does_not_undo_a_later_change() -> None:
    replica = loaded(1, {"a": "v1"})
    at = replica.start_reading(Version(EPOCH, 2))
    put(replica, 2, "v2")
    put(replica, 3, "v3")
    assert replica.apply(at, *page(2, {"a": "v2"}), NONE) is not None
    replica.stop_reading()
    assert texts_of(replica, 3) == {"a": "v3"}


def test_a_page_of_a_reader_that_was_overtaken_is_refused() -> None:
    replica = loaded(1, {"a": "v1"})
    slow = replica.start_reading(Version(EPOCH, 2))
    fast = replica.start_reading(Version(EPOCH, 3))
    assert replica.apply(fast, *page(3, {"a": "v3"}), NONE) is not None
    assert replica.apply(slow, *page(2, {"a": "v2"}), NONE) is None
    assert texts_of(replica, 3) == {"a": "v3"}


def test_a_first_load_shows_nothing_until_it_is_whole() -> None:
    replica = Replica(lambda: Arena(text_index=False), lambda arena: None)
    at = replica.start_reading(Version(EPOCH, 2))
    reached = replica.apply(at, *page(1, {"a": "v1"}, more=True), NONE)
    assert isinstance(reached, Position)
    assert replica.arena is None
    assert replica.apply(reached, *page(3, {"b": "v2"}, gone=[b"a"]), NONE) is not None
    assert texts_of(replica, 3) == {"b": "v2"}


def test_an_older_load_does_not_replace_a_newer_one() -> None:
    replica = Replica(lambda: Arena(text_index=False), lambda arena: None)
    slow, fast = (replica.start_reading(Version(EPOCH, seq)) for seq in (1, 2))
    replica.apply(fast, *page(2, {"a": "v2"}), NONE)
    replica.apply(slow, *page(1, {"a": "v1"}), NONE)
    assert texts_of(replica, 2) == {"a": "v2"}
