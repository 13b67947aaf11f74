"""Which ``axon`` this is."""

from __future__ import annotations

from pathlib import Path

import axon


def version_text() -> str:
    """Tell version and place, because other distributions install an import package of the same name."""
    return f"axon {axon.__version__} (axon-integrations), imported from {Path(axon.__file__).parent}"
