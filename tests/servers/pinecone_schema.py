"""The shapes of Pinecone's data-plane requests and answers that Axon uses, stricter than the service itself.

Unknown fields are refused, and so is a null, which the service drops without a word.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=512, pattern=r"^[\x01-\x7f]+$")]
Name: TypeAlias = Annotated[str, Meta(max_length=512, pattern=r"^[\x01-\x7f]*$")]
Metadata: TypeAlias = dict[
    Annotated[str, Meta(min_length=1, pattern=r"^[^$]")], bool | int | float | str | list[str]
]
Where: TypeAlias = dict[str, Any]


class Strict(Struct, forbid_unknown_fields=True, rename="camel", kw_only=True, omit_defaults=False):
    """Base of all shapes."""


class Vector(Strict):
    id: Id
    values: Annotated[list[float], Meta(min_length=1)]
    metadata: Metadata = {}


class Upsert(Strict):
    vectors: Annotated[list[Vector], Meta(min_length=1, max_length=1000)]
    namespace: Name = ""


class Upserted(Strict):
    upserted_count: Annotated[int, Meta(ge=0)]


class Query(Strict):
    top_k: Annotated[int, Meta(ge=1, le=10_000)]
    vector: list[float]
    namespace: Name = ""
    filter: Where = {}
    include_values: bool = False
    include_metadata: bool = False


class Match(Strict):
    id: Id
    score: float
    values: list[float] = []
    metadata: Metadata | UnsetType = UNSET


class Matches(Strict):
    matches: list[Match]
    namespace: Name


class Fetch(Strict):
    ids: Annotated[list[Id], Meta(min_length=1, max_length=1000)]
    namespace: Name = ""


class Fetched(Strict):
    vectors: dict[Id, Vector]
    namespace: Name


class FetchByMetadata(Strict):
    filter: Annotated[Where, Meta(min_length=1)]
    namespace: Name = ""
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100
    pagination_token: str = ""


class Next(Strict):
    next: str


class FetchedByMetadata(Strict):
    vectors: dict[Id, Vector]
    namespace: Name
    pagination: Next | UnsetType = UNSET


class Delete(Strict):
    namespace: Name = ""
    ids: Annotated[list[Id], Meta(min_length=1, max_length=1000)] | UnsetType = UNSET
    delete_all: bool = False


class Update(Strict):
    id: Id
    set_metadata: Annotated[Metadata, Meta(min_length=1)]
    namespace: Name = ""


class Nothing(Strict):
    pass


class Count(Strict):
    vector_count: Annotated[int, Meta(ge=1)]


class Stats(Strict):
    namespaces: dict[Name, Count]
    dimension: Annotated[int, Meta(ge=1)]
    metric: str
    vector_type: str
    index_fullness: float
    total_vector_count: Annotated[int, Meta(ge=0)]


class ListNamespaces(Strict):
    prefix: Name = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 100
    pagination_token: str = ""


class NamespaceRow(Strict, rename=None):
    name: Name
    record_count: str


class Namespaces(Strict):
    namespaces: list[NamespaceRow]
    pagination: Next | UnsetType = UNSET


def checked(answer: Struct) -> bytes:
    """Encode an answer, after reading it back by its own shape."""
    data = msgspec.json.encode(answer)
    msgspec.json.decode(data, type=type(answer))
    return data
