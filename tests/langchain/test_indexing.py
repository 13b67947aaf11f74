"""L21, L22: the indexing API, with our record manager and our stores."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, RecordManager, aindex, index

from axon.core.clock import ManualClock
from axon.core.errors import ConfigError, InvalidInputError
from axon.core.memory_system import MemorySystem
from axon_integrations.langchain import AxonDocumentIndex, AxonRecordManager, AxonVectorStore
from tests.langchain.planes import PlaneEmbeddings

# LangChain says that SHA-1 is weak; documents indexed with it must work all the same.
pytestmark = pytest.mark.filterwarnings("ignore:Using SHA-1:UserWarning")


def pages(*texts: str, source: str = "book") -> list[Document]:
    return [Document(page_content=text, metadata={"source": source}) for text in texts]


async def stored(store: AxonVectorStore) -> list[str]:
    return sorted([entry.text async for entry in store.memory.scan()])


async def run_index(blocking: bool, documents: Any, *args: Any, **options: Any) -> dict[str, int]:
    if blocking:
        result: Any = index(documents, *args, **options)
    else:
        result = await aindex(documents, *args, **options)
    return {name: count for name, count in result.items() if count}


@pytest.mark.parametrize("blocking", [True, False])
async def test_l21_each_clean_up_counts_right(
    memory: MemorySystem, embedding: PlaneEmbeddings, blocking: bool
) -> None:
    store, manager = AxonVectorStore(memory, embedding), AxonRecordManager(memory, "pages")
    common: dict[str, Any] = {"source_id_key": "source", "key_encoder": "sha256", "batch_size": 2}

    async def run(documents: list[Document], cleanup: Any) -> dict[str, int]:
        return await run_index(blocking, documents, manager, store, cleanup=cleanup, **common)

    assert await run(pages("10", "20", "30"), None) == {"num_added": 3}
    assert await run(pages("10", "20", "30"), None) == {"num_skipped": 3}
    assert await run(pages("10", "40"), "incremental") == {
        "num_added": 1, "num_skipped": 1, "num_deleted": 2,
    }  # fmt: skip
    assert await run(pages("50", source="other"), "incremental") == {"num_added": 1}
    assert await run(pages("10"), "scoped_full") == {"num_skipped": 1, "num_deleted": 1}
    assert await stored(store) == ["10", "50"]
    assert await run(pages("60", "10"), "full") == {"num_added": 1, "num_skipped": 1, "num_deleted": 1}
    assert await stored(store) == ["10", "60"]
    assert await run([], "full") == {"num_deleted": 2}
    assert await stored(store) == []


@pytest.mark.parametrize("key_encoder", ["sha1", "sha256", "sha512", "blake2b"])
async def test_l21_the_ids_of_every_encoder(store: AxonVectorStore, key_encoder: Any) -> None:
    manager = AxonRecordManager(store.memory)
    for expected in ({"num_added": 2}, {"num_skipped": 2}):
        counts = await run_index(False, pages("10", "20"), manager, store, key_encoder=key_encoder)
        assert counts == expected
    assert await stored(store) == ["10", "20"]


async def test_l21_batch_size_is_honoured(store: AxonVectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[Any] = []
    original = store.aadd_documents

    async def noted(documents: Any, **options: Any) -> list[str]:
        sizes.append((len(documents), options["batch_size"]))
        return await original(documents, **options)

    monkeypatch.setattr(
        AxonVectorStore, "aadd_documents", lambda self, *args, **options: noted(*args, **options)
    )
    await aindex(
        pages(*map(str, range(5))), AxonRecordManager(store.memory), store, batch_size=2, key_encoder="sha256"
    )
    assert sizes == [(2, 2), (2, 2), (1, 2)]


async def test_l21_a_document_index(store: AxonVectorStore) -> None:
    documents = AxonDocumentIndex(store=store)
    manager = AxonRecordManager(store.memory)
    for expected in ({"num_added": 2}, {"num_skipped": 2}):
        counts = await run_index(False, pages("10", "20"), manager, documents, key_encoder="sha256")
        assert counts == expected
    assert [found.page_content for found in await documents.ainvoke("11", k=1)] == ["10"]
    assert [found.page_content for found in documents.invoke("19", k=1)] == ["20"]


async def test_a_document_index_deletes_by_filter_too(store: AxonVectorStore) -> None:
    documents = AxonDocumentIndex(store=store)
    await documents.aupsert(pages("10", "20") + pages("30", source="other"))
    assert await documents.adelete(filter={"source": "book"}) == {"num_failed": 0, "failed": []}
    assert await stored(store) == ["30"]
    with pytest.raises(ValueError, match="delete_all"):
        await documents.adelete()


@pytest.mark.parametrize("ours", [True, False])
async def test_l22_records_behave_as_langchains_own(memory: MemorySystem, ours: bool) -> None:
    manager: RecordManager = AxonRecordManager(memory, "n") if ours else InMemoryRecordManager("n")
    await manager.acreate_schema()
    manager.create_schema()
    assert await manager.aexists(["a"]) == [False]
    first = await manager.aget_time()
    await manager.aupdate(["a", "b"], group_ids=["g", None], time_at_least=first)
    between = await manager.aget_time()
    manager.update(["c"], group_ids=["h"])
    assert manager.exists(["c", "x", "a"]) == [True, False, True]
    assert sorted(await manager.alist_keys()) == ["a", "b", "c"]
    assert sorted(await manager.alist_keys(before=between)) == ["a", "b"]
    assert manager.list_keys(after=between) == ["c"]
    assert sorted(await manager.alist_keys(group_ids=["g", "h"])) == ["a", "c"]
    assert await manager.alist_keys(group_ids=["g"], after=between) == []
    assert len(await manager.alist_keys(limit=2)) == 2
    await manager.aupdate(["a"], group_ids=["h"])
    assert sorted(await manager.alist_keys(after=between, group_ids=["h"])) == ["a", "c"]
    await manager.adelete_keys(["a", "nowhere"])
    manager.delete_keys(["b"])
    assert await manager.alist_keys() == ["c"]


async def test_l22_namespaces_are_apart(memory: MemorySystem) -> None:
    managers = [
        AxonRecordManager(memory, "one"),
        AxonRecordManager(memory, "two"),
        AxonRecordManager(memory.scope("ann"), "one"),
    ]
    await managers[0].aupdate(["k"])
    assert [await manager.alist_keys() for manager in managers] == [["k"], [], []]
    await managers[1].adelete_keys(["k"])
    assert await AxonRecordManager(memory, "one").aexists(["k"]) == [True]
    assert await memory.recall("k") == []


async def test_l22_time_never_stands_still_nor_goes_back() -> None:
    clock = ManualClock()
    async with MemorySystem(clock=clock) as memory:
        manager = AxonRecordManager(memory)
        times = [await manager.aget_time(), manager.get_time()]
        clock.advance(1)
        times.append(await manager.aget_time())
        assert times[0] == pytest.approx(clock.now_us() / 1e6 - 1)
        assert times[0] < times[1] < times[2]


async def test_l22_a_clock_that_is_behind_is_an_error(memory: MemorySystem) -> None:
    manager = AxonRecordManager(memory)
    with pytest.raises(InvalidInputError, match="time_at_least"):
        await manager.aupdate(["k"], time_at_least=await manager.aget_time() + 100)
    with pytest.raises(InvalidInputError, match="group ids"):
        await manager.aupdate(["k"], group_ids=["a", "b"])
    assert await manager.alist_keys() == []


@pytest.mark.parametrize("key", [" ", "ключ", "a:b*?[%]_\\\n"])
async def test_any_key_is_a_key(memory: MemorySystem, key: str) -> None:
    manager = AxonRecordManager(memory)
    await manager.aupdate([key], group_ids=[key])
    assert await manager.alist_keys(group_ids=[key]) == [key]
    with pytest.raises(InvalidInputError):
        await manager.aupdate(["fine", ""])
    assert await manager.aexists(["fine"]) == [False]


def test_wrong_settings_are_errors_at_once(memory: MemorySystem) -> None:
    with pytest.raises(ConfigError, match="MemorySystem"):
        AxonRecordManager("memory")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError):
        AxonRecordManager(memory, "")
    with pytest.raises(InvalidInputError):
        AxonRecordManager(memory, tier="nowhere")
