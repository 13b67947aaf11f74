"""What can be told without the library; the model itself is tested in ``tests/model``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from axon.core.errors import ConfigError, MissingDependencyError
from axon.embedders import SentenceTransformerEmbedder
from axon.embedders import sentence_transformer as module


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Construct as if the library were there, which is not asked for anything before the first embedding."""
    monkeypatch.setattr(module, "find_spec", lambda name: importlib.util.find_spec("json"))


def test_without_the_library_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(
        MissingDependencyError, match=r"pip install 'axon-integrations\[sentence-transformers\]'"
    ):
        SentenceTransformerEmbedder(model_name="all-MiniLM-L6-v2")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("options", [{"model_name": ""}, {"batch_size": 0}])
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SentenceTransformerEmbedder(**options)


@pytest.mark.usefixtures("installed")
def test_a_hub_name_is_kept_whole_and_of_a_folder_only_the_last_part(tmp_path: Path) -> None:
    (tmp_path / "my-model").mkdir()
    assert SentenceTransformerEmbedder().spec.model == "all-MiniLM-L6-v2"
    assert SentenceTransformerEmbedder("org/model").spec.model == "org/model"
    assert SentenceTransformerEmbedder(str(tmp_path / "my-model")).spec.model == "my-model"


def test_the_revision_of_a_folder_is_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    weights = tmp_path / "sub" / "model.safetensors"
    weights.write_bytes(bytes(5 << 20))
    first = module._revision(tmp_path)
    (tmp_path / "README.md").write_text("not the model")
    assert module._revision(tmp_path) == first
    for change in (0, (5 << 20) - 1):
        content = bytearray(5 << 20)
        content[change] = 1
        weights.write_bytes(content)
        assert module._revision(tmp_path) != first
    weights.write_bytes(bytes((5 << 20) + 1))
    assert module._revision(tmp_path) != first
    assert module._revision(Path("all-MiniLM-L6-v2")) == ""
