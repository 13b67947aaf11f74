"""Every test that the checklist of the documentation names is there."""

from __future__ import annotations

import pytest

from tests.docs.checklists import Checklist, is_there

CHECKLIST = Checklist("llama-index-checklist.md", "R")


@pytest.mark.parametrize(("path", "name"), CHECKLIST.named)
def test_a_named_test_is_there(path: str, name: str) -> None:
    assert is_there(path, name)


def test_every_number_has_a_row() -> None:
    assert CHECKLIST.rows == list(range(1, 41))
