"""Compilers are importable without any client package, so that what they declare can be told anywhere."""

from __future__ import annotations

import subprocess
import sys

IMPORT_ALL = """
import pkgutil, sys
for vendor in ("chromadb", "grpc", "pinecone", "qdrant_client", "redis"):
    sys.modules[vendor] = None
from importlib import import_module
from axon.adapters import _filters
from axon.core.filter.ast import Eq, Field
names = [found.name for found in pkgutil.iter_modules(_filters.__path__)]
modules = [import_module(f"{_filters.__name__}.{name}") for name in names]
answers = [str(module.support(Eq(Field("tags"), ["a"]))) for module in modules if hasattr(module, "support")]
print(answers)
"""


def test_compilers_import_no_client() -> None:
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("supported") >= 3
