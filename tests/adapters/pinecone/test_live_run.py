"""The opt-in run on Pinecone itself, here pointed at the contract server: it runs, cleans up, says what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.servers.pinecone_server import INDEX_NAME, KEY, PineconeServer

ROOT = Path(__file__).parents[3]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AXON_", "PINECONE_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/live/pinecone_service.py", *arguments],
        cwd=ROOT,
        env={**ours, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_run_leaves_nothing_in_the_index(server: PineconeServer) -> None:
    done = run(
        "-k",
        "test_every_field_comes_back or test_writing_twice or test_a_second_object",
        PINECONE_API_KEY=KEY,
        PINECONE_CONTROLLER_HOST=server.host,
        AXON_TEST_PINECONE_INDEX=INDEX_NAME,
    )
    assert "3 passed" in done.stdout, done.stdout
    asked = server.requests()
    assert any(each["path"] == "/vectors/upsert" for each in asked)
    written = {each["body"]["namespace"] for each in asked if each["path"] == "/vectors/upsert"}
    removed = {each["path"].removeprefix("/namespaces/") for each in asked if each["method"] == "DELETE"}
    assert written == removed
    assert all(name.startswith("axon-test-") for name in removed)


def test_without_a_key_the_run_refuses() -> None:
    done = run("-k", "test_every_field_comes_back")
    assert done.returncode == 2
    assert "set PINECONE_API_KEY and AXON_TEST_PINECONE_INDEX" in done.stdout
