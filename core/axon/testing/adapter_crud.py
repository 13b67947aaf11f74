"""Writing, reading and deleting by id."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given

from axon.core.clock import ManualClock, to_datetime
from axon.core.errors import EmbeddingMismatchError
from axon.core.models import JsonValue, MemoryEntry, Touch
from axon.core.ports import StorageAdapter
from axon.testing.adapter_base import NS, AdapterTests, property_settings
from axon.testing.entries import START_US, assert_same, make_entry
from axon.testing.exact import count_exactly, ids_of, scan_all, search
from axon.testing.strategies import NASTY_STRINGS, any_metadata, any_names, any_text

_LATER = to_datetime(START_US + 5_000_001)

_KEYS_OF_OTHERS = (
    "id", "text", "tags", "importance", "metadata", "embedding", "vector", "document", "source", "provenance",
    "model_dump", "created_at", "updated_at", "expires_at", "session_id", "namespace", "tier", "record", "payload",
    "_id", "_node_content", "__class__", "$eq", "$and", "a.b", "a", ".", "", " ", "\0", "%", "*",
)  # fmt: skip


def full_entry(id: str = "full") -> MemoryEntry:
    """Make an entry with every field set."""
    return make_entry(
        id,
        text="Grüße,\n  \t'quoted' \"text\" with \0 and 😀 ",
        importance=0.1 + 0.2,
        tags=["b", "a", "Ä,;"],
        metadata={
            "n": 1,
            "x": 1.0,
            "yes": True,
            "none": None,
            "list": [1, [2.5, {"k": []}]],
            "big": 2**70,
            "": {"": ""},
        },
        embedding=[0.25, -3.5, 1e-3, 7.0],
        updated_at=_LATER,
        expires_at=_LATER + timedelta(days=3650, microseconds=7),
        session_id="session:1",
        access_count=3,
        last_accessed_at=_LATER + timedelta(microseconds=1),
        keyed=True,
        sources=["s2", "s1"],
    )


class CrudTests(AdapterTests):
    """``put_many``, ``get_many``, ``delete_many``."""

    async def test_every_field_comes_back(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [full_entry(), make_entry("bare")])
        full, bare = await adapter.get_many(NS, ["full", "bare"])
        assert_same(full, full_entry())
        assert_same(bare, make_entry("bare"))

    @given(any_metadata)
    @property_settings()
    async def test_any_metadata_comes_back_exactly(
        self, adapter: StorageAdapter, metadata: dict[str, JsonValue]
    ) -> None:
        entry = make_entry("a", metadata=metadata)
        await adapter.put_many(NS, [entry])
        assert_same((await adapter.get_many(NS, ["a"]))[0], entry)

    async def test_metadata_keys_that_others_use_are_the_users(self, adapter: StorageAdapter) -> None:
        entry = make_entry(
            "a", metadata={key: f"mine: {key}" for key in _KEYS_OF_OTHERS}, importance=0.25, tags=["t"]
        )
        await adapter.put_many(NS, [entry])
        assert_same((await adapter.get_many(NS, ["a"]))[0], entry)

    @given(any_text)
    @property_settings()
    async def test_any_text_comes_back_exactly(self, adapter: StorageAdapter, text: str) -> None:
        entry = make_entry("a", text=text + "!", session_id=text + "!", tags=[text + "!"], sources=[text])
        await adapter.put_many(NS, [entry])
        assert_same((await adapter.get_many(NS, ["a"]))[0], entry)

    async def test_a_long_text_comes_back_whole(self, adapter: StorageAdapter) -> None:
        entry = make_entry("a", text="wörd " * 40_000, metadata={"long": "x" * 100_000})
        await adapter.put_many(NS, [entry])
        assert_same((await adapter.get_many(NS, ["a"]))[0], entry)

    @pytest.mark.parametrize("length", [1e-6, 0.5, 1.0, 3.0, 1e6])
    async def test_vectors_come_back_at_their_own_length(
        self, adapter: StorageAdapter, length: float
    ) -> None:
        entry = make_entry("a", embedding=np.array([0.6, 0.0, -0.8], np.float32) * np.float32(length))
        await adapter.put_many(NS, [entry])
        assert_same((await adapter.get_many(NS, ["a"]))[0], entry)

    async def test_any_id_comes_back_unchanged_and_stays_apart(self, adapter: StorageAdapter) -> None:
        entries = [make_entry(id, text=f"text of number {place}") for place, id in enumerate(NASTY_STRINGS)]
        await adapter.put_many(NS, entries)
        for found, wanted in zip(await adapter.get_many(NS, NASTY_STRINGS), entries, strict=True):
            assert_same(found, wanted)
        assert sorted(entry.id for entry in await scan_all(adapter, NS)) == sorted(NASTY_STRINGS)
        for place, id in enumerate(NASTY_STRINGS):
            assert await adapter.delete_many(NS, [id]) == 1, f"{id!r} was not there any more"
            assert await count_exactly(adapter, NS) == len(entries) - place - 1, (
                f"deleting {id!r} took others along"
            )

    @given(any_names, any_names)
    @property_settings()
    async def test_any_two_ids_are_two_entries(self, adapter: StorageAdapter, one: str, other: str) -> None:
        await adapter.put_many(NS, [make_entry(one, text="one"), make_entry(other, text="other")])
        await adapter.delete_many(NS, [one])
        found = await adapter.get_many(NS, [one, other])
        assert found[0] is None
        if one != other:
            assert_same(found[1], make_entry(other, text="other"))

    async def test_reading_keeps_the_order_asked_for(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry(id) for id in ("a", "b", "c")])
        found = await adapter.get_many(NS, ["c", "missing", "a", "c"])
        assert [entry and entry.id for entry in found] == ["c", None, "a", "c"]

    async def test_nothing_asked_is_nothing_done(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry("a")])
        await adapter.put_many(NS, [])
        await adapter.touch_many(NS, [])
        assert await adapter.get_many(NS, []) == []
        assert await adapter.delete_many(NS, []) == 0
        assert await adapter.search_many(NS, []) == []
        assert await count_exactly(adapter, NS) == 1

    async def test_writing_an_id_again_replaces_everything(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [full_entry("a"), make_entry("b", embedding=[1, 0, 0, 0])])
        bare = make_entry("a", text="second")
        await adapter.put_many(NS, [bare])
        assert_same((await adapter.get_many(NS, ["a"]))[0], bare)
        await adapter.put_many(NS, [full_entry("a")])
        assert_same((await adapter.get_many(NS, ["a"]))[0], full_entry("a"))
        assert await count_exactly(adapter, NS) == 2

    async def test_writing_twice_is_writing_once(self, adapter: StorageAdapter) -> None:
        entries = [full_entry("a"), make_entry("b", embedding=[1, 0, 0, 0])]
        await adapter.put_many(NS, entries)
        await adapter.put_many(NS, entries)
        assert await count_exactly(adapter, NS) == 2
        assert len(await scan_all(adapter, NS)) == 2
        assert sorted(ids_of(await search(adapter, NS, entries[1].embedding))) == ["a", "b"]

    async def test_of_equal_ids_in_one_call_the_last_wins(self, adapter: StorageAdapter) -> None:
        versions = [
            make_entry("a", text=f"v{n}", embedding=[1, n, 0, 0], metadata={"v": n}) for n in range(4)
        ]
        await adapter.put_many(NS, [*versions[:2], make_entry("b"), *versions[2:]])
        assert_same((await adapter.get_many(NS, ["a"]))[0], versions[3])
        assert [entry.id for entry in await scan_all(adapter, NS)] == ["a", "b"]

    async def test_delete_tells_how_many_were_there(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry(id) for id in ("a", "b", "c")])
        assert await adapter.delete_many(NS, ["a", "missing", "b", "a"]) == 2
        assert await adapter.delete_many(NS, ["a", "b"]) == 0
        assert [entry.id for entry in await scan_all(adapter, NS)] == ["c"]

    async def test_what_was_deleted_can_be_written_again(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [full_entry("a")])
        await adapter.delete_many(NS, ["a"])
        assert await adapter.get_many(NS, ["a"]) == [None]
        again = make_entry("a", text="again", embedding=[0, 0, 1, 0])
        await adapter.put_many(NS, [again])
        assert_same((await adapter.get_many(NS, ["a"]))[0], again)

    async def test_a_large_batch_is_written_read_and_deleted(self, adapter: StorageAdapter) -> None:
        size = min(6_000, adapter.capabilities.max_batch)
        ids = [f"id {n}" for n in range(size)]
        await adapter.put_many(
            NS, [make_entry(id, text=f"text {id}", embedding=[1, n]) for n, id in enumerate(ids)]
        )
        assert await count_exactly(adapter, NS) == size
        found = await adapter.get_many(NS, ids[::-1])
        assert [entry and entry.text for entry in found] == [f"text {id}" for id in ids[::-1]]
        assert await adapter.delete_many(NS, ids[1:]) == size - 1
        assert [entry.id for entry in await scan_all(adapter, NS)] == ids[:1]


class MismatchTests(AdapterTests):
    """Vectors that do not fit."""

    async def test_another_number_of_dimensions_is_refused_whole(self, adapter: StorageAdapter) -> None:
        old = make_entry("old", text="before", embedding=[1, 0, 0])
        await adapter.put_many(NS, [old])
        bad = [
            make_entry("new", embedding=[0, 1, 0]),
            make_entry("old", text="after"),
            make_entry("bad", embedding=[1, 0]),
        ]
        with pytest.raises(EmbeddingMismatchError):
            await adapter.put_many(NS, bad)
        assert [entry.id for entry in await scan_all(adapter, NS)] == ["old"]
        assert_same((await adapter.get_many(NS, ["old"]))[0], old)

    async def test_a_batch_that_disagrees_with_itself_is_refused_whole(self, adapter: StorageAdapter) -> None:
        with pytest.raises(EmbeddingMismatchError):
            await adapter.put_many(
                NS, [make_entry("a", embedding=[1, 0, 0]), make_entry("b", embedding=[1, 0])]
            )
        assert await scan_all(adapter, NS) == []
        await adapter.put_many(NS, [make_entry("b", embedding=[1, 0])])
        assert await count_exactly(adapter, NS) == 1

    async def test_a_query_of_other_dimensions_is_refused(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry("a", embedding=[1, 0, 0])])
        with pytest.raises(EmbeddingMismatchError):
            await search(adapter, NS, np.array([1, 0], np.float32))

    async def test_namespaces_have_dimensions_of_their_own(self, adapter: StorageAdapter) -> None:
        await adapter.put_many("two", [make_entry("a", embedding=[1, 0])])
        await adapter.put_many("three", [make_entry("a", embedding=[1, 0, 0])])
        assert ids_of(await search(adapter, "two", np.array([1, 0], np.float32))) == ["a"]
        assert ids_of(await search(adapter, "three", np.array([1, 0, 0], np.float32))) == ["a"]

    async def test_clearing_frees_the_dimensions(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry("a", embedding=[1, 0, 0])])
        await adapter.clear(NS)
        await adapter.put_many(NS, [make_entry("a", embedding=[1, 0])])
        assert ids_of(await search(adapter, NS, np.array([1, 0], np.float32))) == ["a"]


class OwnershipTests(AdapterTests):
    """Nothing handed in or out is aliased."""

    async def test_editing_what_was_handed_in_changes_nothing(self, adapter: StorageAdapter) -> None:
        metadata: dict[str, JsonValue] = {"list": [1]}
        entry = make_entry("a", metadata=metadata, embedding=[1, 2, 3])
        await adapter.put_many(NS, [entry])
        metadata["list"].append(2)
        entry.metadata["list"].append(3)
        _zero(entry)
        assert_same(
            (await adapter.get_many(NS, ["a"]))[0],
            make_entry("a", metadata={"list": [1]}, embedding=[1, 2, 3]),
        )

    async def test_editing_what_was_handed_out_changes_nothing(self, adapter: StorageAdapter) -> None:
        wanted = make_entry("a", text="fox", metadata={"list": [1]}, tags=["t"], embedding=[1, 2, 3])
        await adapter.put_many(NS, [wanted])
        query = np.array([1, 2, 3], np.float32)
        handed_out = [
            (await adapter.get_many(NS, ["a"]))[0],
            (await scan_all(adapter, NS))[0],
            (await search(adapter, NS, query))[0].entry,
        ]
        for entry in handed_out:
            assert entry is not None
            entry.metadata["list"].append(2)
            entry.metadata["new"] = True
            entry.tags.append("other")
            _zero(entry)
        assert_same((await adapter.get_many(NS, ["a"]))[0], wanted)
        assert_same((await scan_all(adapter, NS))[0], wanted)
        assert_same((await search(adapter, NS, query))[0].entry, wanted)

    async def test_a_later_write_does_not_change_what_was_handed_out(self, adapter: StorageAdapter) -> None:
        first = make_entry("a", text="first", embedding=[1, 0, 0])
        await adapter.put_many(NS, [first])
        held = (await adapter.get_many(NS, ["a"]))[0]
        await adapter.put_many(NS, [make_entry("a", text="second", embedding=[0, 1, 0])])
        await adapter.delete_many(NS, ["a"])
        await adapter.put_many(NS, [make_entry(f"b{n}", embedding=[0, 0, 1]) for n in range(100)])
        assert_same(held, first)


class TouchTests(AdapterTests):
    """Access statistics."""

    async def test_touches_add_up(self, adapter: StorageAdapter, clock: ManualClock) -> None:
        now = clock.now_us()
        await adapter.put_many(
            NS, [make_entry("a", embedding=[1, 0], tags=["t"], metadata={"k": 1}), make_entry("b")]
        )
        await adapter.touch_many(NS, [Touch("a", now + 5, 2), Touch("missing", now), Touch("a", now + 3)])
        await adapter.touch_many(NS, [Touch("a", now + 4)])
        wanted = make_entry(
            "a",
            embedding=[1, 0],
            tags=["t"],
            metadata={"k": 1},
            access_count=4,
            last_accessed_at=to_datetime(now + 5),
        )
        found = await adapter.get_many(NS, ["a", "b", "missing"])
        assert_same(found[0], wanted)
        assert_same(found[1], make_entry("b"))
        assert found[2] is None

    async def test_searches_and_scans_show_touches(self, adapter: StorageAdapter, clock: ManualClock) -> None:
        await adapter.put_many(NS, [make_entry("a", embedding=[1, 0])])
        await adapter.touch_many(NS, [Touch("a", clock.now_us(), 7)])
        assert (await scan_all(adapter, NS))[0].access_count == 7
        assert (await search(adapter, NS, np.array([1, 0], np.float32)))[0].entry.access_count == 7

    async def test_writing_again_sets_the_statistics_written(
        self, adapter: StorageAdapter, clock: ManualClock
    ) -> None:
        await adapter.put_many(NS, [make_entry("a")])
        await adapter.touch_many(NS, [Touch("a", clock.now_us(), 7)])
        await adapter.put_many(NS, [make_entry("a", access_count=2)])
        assert_same((await adapter.get_many(NS, ["a"]))[0], make_entry("a", access_count=2))


def _zero(entry: MemoryEntry) -> None:
    vector = entry.embedding
    assert vector is not None
    if vector.flags.writeable:
        vector[:] = 0
