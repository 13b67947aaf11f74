"""What the table in the docs says of a backend is what its adapter says of itself."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.backends.catalogue import Backend

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "filter_table.py"


@pytest.fixture(scope="module")
def table() -> Any:
    spec = spec_from_file_location("filter_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_adapters_say_what_the_table_says(backend: Backend, tmp_path: Path, table: Any) -> None:
    column = f"`{backend.adapter_type}`" + (", search module" if backend.name == "redis-search" else "")
    answer = table.columns()[column]
    with backend.adapter(tmp_path) as adapter:
        await adapter.open()
        predicates = [predicate for row in table.ROWS.values() for predicate in row]
        assert [adapter.support(each) for each in predicates] == [answer(each) for each in predicates]
        await adapter.aclose()
