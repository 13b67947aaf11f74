"""A configuration in a file is the configuration in Python, and its mistakes are named where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from axon import MemoryConfig, MemorySystem
from axon.core.errors import ConfigError
from axon.core.policies import EphemeralPolicy, PersistentPolicy, RankingPolicy, RoutingPolicy, SessionPolicy
from axon.embedders import HashingEmbedder

TOML = """
[ephemeral]
ttl_seconds = 3600

[session]
adapter_type = "redis"
promote_after = 10

[session.adapter_config]
url = "redis://:${AXON_TEST_PASSWORD}@cache:6379"
max_connections = "${AXON_TEST_CONNECTIONS}"

[persistent]
adapter_type = "chroma"
adapter_config = { host = "vectors", headers = { X-Chroma-Token = "${AXON_TEST_TOKEN}" } }

[routing]
ephemeral_below = 0.2

[ranking]
recency_weight = 0.1
"""
JSON = """
{
  "ephemeral": {"ttl_seconds": 3600},
  "session": {
    "adapter_type": "redis", "promote_after": 10,
    "adapter_config": {"url": "redis://:${AXON_TEST_PASSWORD}@cache:6379", "max_connections": 7}
  },
  "persistent": {
    "adapter_type": "chroma",
    "adapter_config": {"host": "vectors", "headers": {"X-Chroma-Token": "${AXON_TEST_TOKEN}"}}
  },
  "routing": {"ephemeral_below": 0.2},
  "ranking": {"recency_weight": 0.1}
}
"""


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AXON_TEST_PASSWORD", "s3cret")
    monkeypatch.setenv("AXON_TEST_TOKEN", "t0ken")
    monkeypatch.setenv("AXON_TEST_CONNECTIONS", "7")
    monkeypatch.delenv("AXON_TEST_ABSENT", raising=False)


def written(folder: Path, text: str, name: str = "memory.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "name"), [(TOML, "memory.toml"), (JSON, "memory.json"), (JSON, "M.JSON")])
def test_a_file_says_what_python_says(tmp_path: Path, text: str, name: str) -> None:
    read = MemoryConfig.from_file(written(tmp_path, text, name))
    redis: dict[str, Any] = dict(read.session.adapter_config) if read.session else {}
    assert int(redis.pop("max_connections")) == 7
    assert redis == {"url": "redis://:s3cret@cache:6379"}
    same = MemoryConfig(
        ephemeral=EphemeralPolicy(ttl_seconds=3600),
        session=read.session,
        persistent=PersistentPolicy(
            adapter_type="chroma", adapter_config={"host": "vectors", "headers": {"X-Chroma-Token": "t0ken"}}
        ),
        routing=RoutingPolicy(ephemeral_below=0.2),
        ranking=RankingPolicy(recency_weight=0.1),
    )
    assert read == same
    assert isinstance(read.session, SessionPolicy)
    assert read.session.promote_after == 10


def test_an_escaped_reference_is_text(tmp_path: Path) -> None:
    text = '[persistent]\nadapter_type = "sqlite"\nadapter_config = { path = "$${HOME}/$x/{y}/a$b.db" }\n'
    read = MemoryConfig.from_file(written(tmp_path, text)).persistent
    assert read is not None
    assert read.adapter_config["path"] == "${HOME}/$x/{y}/a$b.db"


async def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(
        tmp_path, '[persistent]\nadapter_type = "sqlite"\nadapter_config = { path = "memory.db" }\n'
    )
    embedder = HashingEmbedder()
    async with MemorySystem(MemoryConfig.from_file(str(path), embedder=embedder)) as memory:
        await memory.store("hello")
        assert memory.config.embedder is embedder
    assert (tmp_path / "memory.db").exists()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[sesion]\n", "MemoryConfig has no field 'sesion'; did you mean 'session'?"),
        ("[session]\nttl = 3\n", "session: SessionPolicy has no field 'ttl'"),
        ("[session]\nttl_seconds = -1\n", "session: SessionPolicy: ttl_seconds: "),
        ('[session]\nadapter_type = "redis"\nadapter_config = { uri = "x" }\n', "did you mean 'url'?"),
        ("session = 3\n", "session must be a table"),
        ("", "at least one of ephemeral, session, persistent is needed"),
        ("[session\n", "is not valid TOML: "),
        ('[embedder]\nname = "x"\n', "a file cannot hold an embedder"),
        (
            '[session]\nadapter_type = "redis"\nadapter_config = { url = "redis://:${AXON_TEST_ABSENT}@h" }\n',
            "session.adapter_config.url: the environment variable AXON_TEST_ABSENT is not set",
        ),
        ('[session]\nadapter_type = "${}"\n', "session.adapter_type: what ${} encloses is not the name"),
        (
            '[[session.list]]\na = "${AXON_TEST_ABSENT}"\n',
            "session.list[0].a: the environment variable AXON_TEST_ABSENT is not set",
        ),
        (
            '[session]\nadapter_type = "redis"\nadapter_config = { max_connections = "${AXON_TEST_PASSWORD}" }\n',
            "session: SessionPolicy: adapter_config of redis: max_connections: ",
        ),
    ],
)
def test_mistakes_are_named_and_secrets_are_not(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        MemoryConfig.from_file(path)
    message = str(raised.value)
    assert message.startswith(str(path))
    assert complaint in message
    assert message.count(str(path)) == 1
    assert "s3cret" not in message


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'"\xe9"')
    written(tmp_path, "[]", "list.json")
    written(tmp_path, "{", "broken.json")
    written(tmp_path, "a: 1", "memory.yaml")
    for name, complaint in {
        "absent.toml": "cannot be read: No such file",
        "latin.json": "is not UTF-8",
        "list.json": "holds no table",
        "broken.json": "is not valid JSON: ",
        "memory.yaml": "ends in .toml or .json",
    }.items():
        with pytest.raises(ConfigError, match=complaint):
            MemoryConfig.from_file(tmp_path / name)
