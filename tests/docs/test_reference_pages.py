"""The reference pages name everything they are the reference of."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from axon.core import errors
from axon.core.adapter_options import OPTIONS
from axon.core.filter import parse
from axon.core.filter.ast import RESERVED_FIELDS
from axon.core.policies import PersistentPolicy, RankingPolicy, RoutingPolicy

ROOT = Path(__file__).resolve().parents[2]


def named_in(page: str) -> set[str]:
    """Collect what a page sets in code, blocks left out."""
    text = re.sub(
        r"^```.*?^```", "", (ROOT / "docs" / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return {word for code in re.findall(r"`([^`]+)`", text) for word in re.findall(r"[\w$]+", code)}


def test_the_table_of_filter_support_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "filter_table.py", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_word_and_field_of_the_dict_form_is_explained() -> None:
    expected = {*parse._OPERATORS, "$and", "$or", "$not", *RESERVED_FIELDS}
    assert expected - named_in("filters.md") == set()


@pytest.mark.parametrize("model", [PersistentPolicy, RoutingPolicy, RankingPolicy, *OPTIONS.values()])
def test_every_policy_field_and_adapter_option_is_explained(model: type) -> None:
    fields = set(vars(model)["__pydantic_fields__"])
    assert fields
    assert fields - named_in("configuration.md") == set()


def test_the_tree_of_errors_is_complete() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    classes = [
        name for name, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.AxonError)
    ]
    assert len(classes) > 15
    assert [name for name in classes if not re.search(rf"\b{name}\b", page)] == []
