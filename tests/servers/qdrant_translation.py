"""From the models of Qdrant's client to the objects of its embedded engine, and back.

What the engine's binding cannot express is refused by name, never passed over: matching true or false, which it sends
as 1 and 0, and the conditions and queries that no test of ours sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import qdrant_edge as edge
from qdrant_client.http import models as m


class NotExpressible(Exception):
    """The engine's binding has no form for what was asked."""


def config_of(asked: m.CreateCollection) -> edge.EdgeConfig:
    """Describe a collection; parameters of indexes are left out, since the engine builds none on its own."""
    vectors = asked.vectors or {}
    named = vectors if isinstance(vectors, Mapping) else {"": vectors}
    dense = {
        name: edge.EdgeVectorParams(
            size=each.size, distance=getattr(edge.Distance, each.distance.value), on_disk=each.on_disk
        )
        for name, each in named.items()
    }
    sparse = {
        name: edge.EdgeSparseVectorParams(
            modifier=edge.Modifier.Idf if each.modifier == m.Modifier.IDF else None
        )
        for name, each in (asked.sparse_vectors or {}).items()
    }
    if not dense and not sparse:
        # A server takes a collection without vectors; the engine wants one, so it gets one that no point uses.
        sparse = {"unused": edge.EdgeSparseVectorParams()}
    return edge.EdgeConfig(vectors=dense or None, sparse_vectors=sparse or None, wal_enabled=True)


def schema_of(asked: Any) -> Any:
    """Translate the schema of a payload index."""
    if isinstance(asked, m.PayloadSchemaType):
        return getattr(edge.PayloadSchemaType, asked.value.capitalize())
    if isinstance(asked, m.KeywordIndexParams):
        return edge.KeywordIndexParams(is_tenant=asked.is_tenant, on_disk=asked.on_disk)
    if isinstance(asked, m.IntegerIndexParams):
        return edge.IntegerIndexParams(lookup=asked.lookup, range=asked.range, on_disk=asked.on_disk)
    if isinstance(asked, m.FloatIndexParams):
        return edge.FloatIndexParams(on_disk=asked.on_disk)
    raise NotExpressible(f"an index of {type(asked).__name__}")


def filter_of(asked: m.Filter | None) -> edge.Filter | None:
    """Translate a filter; None stays None."""
    if asked is None:
        return None
    if asked.min_should is not None:
        raise NotExpressible("min_should")
    return edge.Filter(
        must=_conditions(asked.must), should=_conditions(asked.should), must_not=_conditions(asked.must_not)
    )


def _conditions(asked: Any) -> list[Any] | None:
    if asked is None:
        return None
    return [_condition(each) for each in (asked if isinstance(asked, list) else [asked])]


def _condition(asked: Any) -> Any:
    if isinstance(asked, m.Filter):
        return filter_of(asked)
    if isinstance(asked, m.HasIdCondition):
        return edge.HasIdCondition(set(asked.has_id))
    if isinstance(asked, m.HasVectorCondition):
        return edge.HasVectorCondition(asked.has_vector)
    if isinstance(asked, m.FieldCondition):
        if isinstance(asked.match, m.MatchValue) and not isinstance(asked.match.value, bool):
            return edge.FieldCondition(asked.key, match=edge.MatchValue(asked.match.value))
        if isinstance(asked.match, m.MatchAny):
            return edge.FieldCondition(asked.key, match=edge.MatchAny(asked.match.any))
        if isinstance(asked.range, m.Range):
            return edge.FieldCondition(asked.key, range=edge.RangeFloat(**asked.range.model_dump()))
    raise NotExpressible(f"the condition {asked!r}")


def point_of(asked: m.PointStruct) -> edge.Point:
    """Translate a point to be written."""
    given: Any = asked.vector
    vectors = {name: _vector(each) for name, each in given.items()} if isinstance(given, dict) else given
    return edge.Point(asked.id, vectors, asked.payload or {})


def _vector(given: Any) -> Any:
    if isinstance(given, m.SparseVector):
        return edge.SparseVector(given.indices, given.values)
    if isinstance(given, list):
        return given
    raise NotExpressible(f"a vector of {type(given).__name__}")


def query_of(asked: m.QueryRequest) -> edge.QueryRequest:
    """Translate a search for the nearest."""
    nearest = asked.query.nearest if isinstance(asked.query, m.NearestQuery) else asked.query
    if asked.prefetch is not None or not isinstance(nearest, list | m.SparseVector):
        raise NotExpressible(f"the query {asked.query!r}")
    return edge.QueryRequest(
        limit=10 if asked.limit is None else asked.limit,
        query=edge.Query.Nearest(_vector(nearest), using=asked.using),
        filter=filter_of(asked.filter),
        params=_params(asked.params),
        score_threshold=asked.score_threshold,
        with_payload=payload_of(asked.with_payload),
        with_vector=asked.with_vector or False,
    )


def _params(asked: m.SearchParams | None) -> edge.SearchParams | None:
    if asked is None:
        return None
    corpus = filter_of(asked.idf.corpus) if isinstance(asked.idf, m.IdfCorpusParams) else None
    return edge.SearchParams(
        hnsw_ef=asked.hnsw_ef,
        exact=bool(asked.exact),
        idf=None if corpus is None else edge.IdfParams(corpus=corpus),
    )


def payload_of(asked: Any) -> Any:
    """Translate which fields of the payload are wanted."""
    if isinstance(asked, m.PayloadSelectorInclude):
        return edge.PayloadSelector.Include(asked.include)
    if isinstance(asked, m.PayloadSelectorExclude):
        return edge.PayloadSelector.Exclude(asked.exclude)
    return edge.PayloadSelector.Include(asked) if isinstance(asked, list) else bool(asked)


def record_from(found: edge.Record) -> m.Record:
    """Translate a point that was read."""
    return m.Record(id=str(found.id), payload=found.payload, vector=_vectors_from(found.vector))


def scored_from(found: edge.ScoredPoint) -> m.ScoredPoint:
    """Translate a point that was found."""
    return m.ScoredPoint(
        id=str(found.id),
        version=found.version,
        score=found.score,
        payload=found.payload,
        vector=_vectors_from(found.vector),
    )


def _vectors_from(found: Any) -> Any:
    if not isinstance(found, dict):
        return found
    return {
        name: m.SparseVector(indices=each.indices, values=each.values)
        if isinstance(each, edge.SparseVector)
        else each
        for name, each in found.items()
    }
