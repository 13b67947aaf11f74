"""The conformance suite on the real Pinecone, for `make test-pinecone-live` only: its name keeps it out of other runs.

Needs ``PINECONE_API_KEY`` and ``AXON_TEST_PINECONE_INDEX``, the name of a serverless index of at least 40 dimensions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from axon.adapters.pinecone import PineconeAdapter
from axon.core.adapter_options import PineconeOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite

WANTED = ("PINECONE_API_KEY", "AXON_TEST_PINECONE_INDEX")
DIMS = 40
RUN = f"axon-test-{uuid4().hex}"


@pytest.fixture(scope="session")
def index_name() -> Iterator[str]:
    """The index, cleared of what this run left in it."""
    missing = [name for name in WANTED if not os.environ.get(name)]
    if missing:
        pytest.exit(f"set {' and '.join(missing)} to run against Pinecone itself", returncode=2)
    from pinecone import Pinecone

    name = os.environ["AXON_TEST_PINECONE_INDEX"]
    with Pinecone() as project, project.index(name) as index:
        dims = index.describe_index_stats().dimension
        if dims is None or dims < DIMS:
            pytest.exit(f"the index {name!r} has {dims} dimensions, the suite needs {DIMS}", returncode=2)
        yield name
        left = [each.name for page in index.list_namespaces(prefix=RUN) for each in page.namespaces]
        for namespace in left:
            index.delete_namespace(name=namespace)


class TestPinecone(AdapterSuite):
    backend = "pinecone"

    @pytest.fixture
    def make_adapter(self, index_name: str, clock: ManualClock) -> AdapterFactory:
        options = PineconeOptions(
            index_name=index_name, namespace=f"{RUN}-{uuid4().hex}", timeout=60, settle_seconds=60
        )
        return lambda: PineconeAdapter(options, clock=clock)
