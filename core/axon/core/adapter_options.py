"""What ``adapter_config`` may hold, per adapter.

Kept apart from the adapters so that a wrong key is refused when a policy is written, before any client
package is needed.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from axon.core.errors import ConfigError


class AdapterOptions(BaseModel):
    """Base of all options: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    def for_tier(self, tier: str) -> AdapterOptions:
        """Return the options for one tier of a memory; the same unless a backend keeps its tiers apart by them."""
        return self


class SharedPlaceOptions(AdapterOptions):
    """Options of a backend in which several tiers may lie side by side.

    Attributes
    ----------
    tier : name of the tier, part of whatever the backend calls a key or a collection; set by Axon, so that two tiers
        in one place share nothing.
    """

    tier: str = ""

    def for_tier(self, tier: str) -> Self:
        """Return these options with a part of the place that is the tier's own."""
        return self if self.tier else self.model_copy(update={"tier": tier})

    def own_part(self, name: str, separator: str = "-") -> str:
        """Return ``name`` with the tier's after it, where one is set."""
        return f"{name}{separator}{self.tier}" if self.tier else name


class MemoryOptions(AdapterOptions):
    """Options of the in-process adapter.

    Attributes
    ----------
    text_index : keep a full-text index, which ``mode="text"`` and ``"hybrid"`` need.
    quantize : keep a copy of the vectors in one byte per number, which larger searches read first; results are exact
        either way. Needs the extra ``simd``, and a quarter more memory from 8,192 entries on.
    """

    text_index: bool = True
    quantize: bool = True


class SqliteOptions(AdapterOptions):
    """Options of the embedded durable adapter.

    Attributes
    ----------
    path : the database file; its folder must exist.
    collection : several tiers may share one file under different names of letters, digits and ``_``.
    synchronous : ``normal`` may lose the last commits when power fails, ``full`` waits for the disk.
    busy_timeout : seconds to wait for another process that writes, > 0.
    text_index : keep a full-text index, which ``mode="text"`` and ``"hybrid"`` need.
    quantize : as in ``MemoryOptions``.
    """

    path: str
    collection: str = Field(default="memories", pattern=r"^[A-Za-z0-9_]{1,48}$")
    synchronous: Literal["normal", "full"] = "normal"
    busy_timeout: float = Field(default=5.0, gt=0, le=3600)
    text_index: bool = True
    quantize: bool = True


class RedisOptions(SharedPlaceOptions):
    """Options of the Redis adapter.

    Attributes
    ----------
    url : ``redis://``, ``rediss://`` (TLS), ``unix://``, or ``redis+sentinel://host:port,host:port/service/db``
        (``rediss+sentinel://`` with TLS); may hold user and password, and is therefore never shown. A cluster is
        recognised by itself.
    max_connections : most connections per event loop, >= 1; who finds them all in use waits.
    socket_timeout, socket_connect_timeout : seconds per answer and per connection attempt, > 0.
    decode_responses : accepted for users of other clients; Axon's own connections carry bytes either way.
    namespace : prefix of every key.
    client : a ``redis.asyncio`` client whose server and credentials are used instead of ``url``. Axon opens connections
        of its own, and never closes the client.
    search_module : use the server's search module for vectors and filters: ``auto`` where it has one, ``require``, or
        ``off``.
    text_index : answer ``mode="text"`` and ``"hybrid"``.
    tier : name of the tier, part of every key; set by Axon.
    """

    url: SecretStr = SecretStr("redis://localhost:6379")
    max_connections: int = Field(default=50, ge=1)
    socket_timeout: float = Field(default=5.0, gt=0, allow_inf_nan=False)
    socket_connect_timeout: float = Field(default=5.0, gt=0, allow_inf_nan=False)
    decode_responses: bool = False
    namespace: str = Field(default="axon", min_length=1)
    client: Any = Field(default=None, repr=False, exclude=True)
    search_module: Literal["auto", "require", "off"] = "auto"
    text_index: bool = True

    @property
    def key_prefix(self) -> str:
        """What every key starts with."""
        return self.own_part(self.namespace, ":")


class QdrantOptions(SharedPlaceOptions):
    """Options of the Qdrant adapter.

    Attributes
    ----------
    url : of a server, the default being ``http://localhost:6333``; or ``path`` or ``location=":memory:"`` for the
        client's own engine, which is made for tests and small data. Another ``location`` is a URL.
    path : folder of that engine.
    engine : what serves ``path``: ``client`` for the client's own engine, ``edge`` for Qdrant's embedded one, which is
        many times faster and needs the extra ``qdrant-edge``.
    api_key : of the server.
    timeout : whole seconds per attempt, and for all attempts together, >= 1.
    attempts : times a call is tried in all, >= 1.
    connections : reads on a server at the same time, >= 1.
    collection_name : begins the names of the collections: ``<collection_name>-<tier>`` for entries without a vector,
        ``<collection_name>-<tier>_<dimensions>`` for those with one.
    tier : name of the tier; set by Axon.
    prefer_grpc, grpc_port : use gRPC where the server offers it.
    exact : compare with every vector instead of using the index.
    hnsw_ef : width of an index search, >= 1; None for the server's own.
    hnsw, quantization : passed to Qdrant when a collection is made, such as ``{"m": 32}`` and
        ``{"scalar": {"type": "int8"}}``.
    on_disk : keep vectors on disk.
    text_index : answer ``mode="text"`` and ``"hybrid"``; decided when a collection is made.
    """

    url: str | None = None
    path: str | None = None
    location: str | None = None
    engine: Literal["client", "edge"] = "client"
    api_key: SecretStr | None = None
    timeout: int = Field(default=10, ge=1, le=3600)
    attempts: int = Field(default=3, ge=1, le=20)
    connections: int = Field(default=8, ge=1, le=256)
    collection_name: str = Field(default="axon", pattern=r"^[A-Za-z0-9_-]{1,200}$")
    prefer_grpc: bool = False
    grpc_port: int = Field(default=6334, ge=1, le=65535)
    exact: bool = False
    hnsw_ef: int | None = Field(default=None, ge=1)
    hnsw: dict[str, Any] | None = None
    quantization: dict[str, Any] | None = None
    on_disk: bool | None = None
    text_index: bool = True

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(each is not None for each in (self.url, self.path, self.location)) > 1:
            raise ValueError("give one of url, path and location")
        if self.engine == "edge":
            if self.path is None:
                raise ValueError("engine='edge' needs a path")
            if self.hnsw is not None or self.quantization is not None or self.hnsw_ef is not None:
                raise ValueError("engine='edge' has no index, so it takes no hnsw, hnsw_ef or quantization")
        return self

    @property
    def collection_prefix(self) -> str:
        """What the name of every collection starts with."""
        return self.own_part(self.collection_name)


class ChromaOptions(SharedPlaceOptions):
    """Options of the Chroma adapter.

    Attributes
    ----------
    path : folder of the embedded engine; with neither path nor host the data stays in memory.
    host, port, ssl : of a server.
    headers : sent with every request to a server, such as its token.
    tenant, database : of a server.
    collection_name : begins the names of the collections, one or two per namespace; the tier follows.
    tier : name of the tier; set by Axon.
    timeout : seconds per attempt on a server, and for all attempts together, > 0.
    attempts : times a call is tried in all, >= 1.
    connections : reads on a server at the same time, >= 1; more slow it down.
    exact : score every vector instead of using the index; for small collections.
    ef_search, ef_construction, max_neighbors : of the HNSW index, set when a collection is made. The default
        width of search, 1000, is ten times Chroma's own, which misses near neighbours.
    """

    path: str | None = None
    host: str | None = None
    port: int = Field(default=8000, ge=1, le=65535)
    ssl: bool = False
    headers: dict[str, SecretStr] = {}
    tenant: str = "default_tenant"
    database: str = "default_database"
    # Chroma's own rule, less the room for the digest of the namespace.
    collection_name: str = Field(default="axon", pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$")
    timeout: float = Field(default=10.0, gt=0, le=3600)
    attempts: int = Field(default=3, ge=1, le=20)
    connections: int = Field(default=6, ge=1, le=64)
    exact: bool = False
    ef_search: int = Field(default=1000, ge=1)
    ef_construction: int = Field(default=100, ge=1)
    max_neighbors: int = Field(default=16, ge=2)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.path is not None and self.host is not None:
            raise ValueError("path is for the embedded engine and host for a server; give one of them")
        return self

    @property
    def collection_prefix(self) -> str:
        """What the name of every collection starts with."""
        return self.own_part(self.collection_name)


class PineconeOptions(AdapterOptions):
    """Options of the Pinecone adapter.

    Attributes
    ----------
    api_key : of the project; None for the environment variable ``PINECONE_API_KEY``.
    index_name, host : which index; one of them is needed. The host spares asking for it.
    namespace : prefix of every namespace, printable ASCII.
    environment : accepted for old configurations, warned about and ignored.
    timeout : seconds per attempt, and for all attempts together, > 0.
    attempts : times a call is tried in all, >= 1.
    connections : requests at the same time, >= 1.
    max_unseen : own writes per namespace that are kept in memory until Pinecone shows them, >= 0; beyond it, writing
        waits. With 0 every write waits until it is shown, to other processes too.
    settle_seconds : longest such wait, and longest that closing waits for it, >= 0.
    fetch_lag : seconds by which Pinecone's fetches may lag behind its queries, which alone tell how far they are, >= 0.
    tier : name of the tier, part of every namespace; set by Axon, so that two tiers in one index share nothing.
    """

    api_key: SecretStr | None = None
    index_name: str | None = None
    host: str | None = None
    namespace: str = Field(default="", pattern=r"^[\x20-\x7e]{0,200}$")
    environment: str | None = None
    timeout: float = Field(default=10.0, gt=0, le=3600)
    attempts: int = Field(default=3, ge=1, le=20)
    connections: int = Field(default=8, ge=1, le=64)
    max_unseen: int = Field(default=10_000, ge=0)
    settle_seconds: float = Field(default=10.0, ge=0, le=3600)
    fetch_lag: float = Field(default=1.0, ge=0, le=3600)
    tier: str = Field(default="", pattern=r"^[a-z]{0,32}$")

    def for_tier(self, tier: str) -> PineconeOptions:
        """Return these options with namespaces of the tier's own."""
        return self if self.tier else self.model_copy(update={"tier": tier})

    @property
    def prefix(self) -> str:
        """What the name of every namespace in Pinecone begins with; ends with a dot."""
        own = f"{self.tier or 'axon'}."
        return f"{self.namespace}.{own}" if self.namespace else own


OPTIONS: dict[str, type[AdapterOptions]] = {
    "memory": MemoryOptions,
    "sqlite": SqliteOptions,
    "redis": RedisOptions,
    "qdrant": QdrantOptions,
    "chroma": ChromaOptions,
    "pinecone": PineconeOptions,
}


def read_options(adapter_type: str, adapter_config: Mapping[str, Any]) -> AdapterOptions:
    """Check ``adapter_config`` against the options of ``adapter_type``.

    Raises
    ------
    ConfigError
        For an unknown adapter, an unknown key (the message names the nearest one) or a bad value.
    """
    model = OPTIONS.get(adapter_type)
    if model is None:
        raise ConfigError(f"unknown adapter_type {adapter_type!r}{nearest(adapter_type, OPTIONS)}")
    for key in adapter_config:
        if key not in model.model_fields:
            raise ConfigError(f"{adapter_type} has no option {key!r}{nearest(str(key), model.model_fields)}")
    try:
        return model(**adapter_config)
    except ValidationError as error:
        raise ConfigError(f"adapter_config of {adapter_type}: {explain(error)}") from None


def nearest(word: str, known: Mapping[str, Any]) -> str:
    """Build the hint of a message: the nearest known word, or all of them."""
    near = difflib.get_close_matches(word, list(known), 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(known))}"


def explain(error: ValidationError) -> str:
    """Condense pydantic's report into one line that holds no input value, since inputs may be secrets."""
    parts = [
        (".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, "))
        for each in error.errors()
    ]
    return "; ".join(f"{place}: {message}" if place else message for place, message in parts)
