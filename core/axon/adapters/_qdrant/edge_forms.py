"""From the models that rooms ask in to the objects of Qdrant's embedded engine; only what rooms ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import qdrant_edge as edge
from qdrant_client import models


def config_of(vectors: Mapping[str, models.VectorParams], sparse: Iterable[str]) -> edge.EdgeConfig:
    """Describe a collection; the log makes what was acknowledged outlive a killed process."""
    dense = {
        name: edge.EdgeVectorParams(size=each.size, distance=edge.Distance.Dot, on_disk=each.on_disk)
        for name, each in vectors.items()
    }
    ranked = {name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf) for name in sparse}
    if not dense and not ranked:
        # The engine wants a vector in every collection; no point has this one.
        ranked = {"unused": edge.EdgeSparseVectorParams()}
    return edge.EdgeConfig(vectors=dense or None, sparse_vectors=ranked or None, wal_enabled=True)


def schema_of(schema: models.KeywordIndexParams | models.PayloadSchemaType) -> Any:
    """Translate the schema of a payload index."""
    if isinstance(schema, models.KeywordIndexParams):
        return edge.KeywordIndexParams(is_tenant=schema.is_tenant)
    return getattr(edge.PayloadSchemaType, schema.value.capitalize())


def filter_of(condition: models.Filter) -> edge.Filter:
    """Translate a filter.

    Every value that is matched is a token or a namespace, a string: the engine's binding sends True as 1.
    """
    return edge.Filter(
        must=_conditions(condition.must),
        should=_conditions(condition.should),
        must_not=_conditions(condition.must_not),
    )


def vectors_of(vectors: Mapping[str, Any]) -> dict[str, Any]:
    """Translate the vectors of a point."""
    return {name: _vector(each) for name, each in vectors.items()}


def _vector(vector: Any) -> Any:
    is_sparse = isinstance(vector, models.SparseVector)
    return edge.SparseVector(vector.indices, vector.values) if is_sparse else vector


def _conditions(conditions: Any) -> list[Any] | None:
    return None if conditions is None else [_condition(each) for each in conditions]


def _condition(condition: Any) -> Any:
    if isinstance(condition, models.Filter):
        return filter_of(condition)
    if isinstance(condition, models.HasIdCondition):
        return edge.HasIdCondition(set(condition.has_id))
    if isinstance(condition, models.HasVectorCondition):
        return edge.HasVectorCondition(condition.has_vector)
    if condition.match is not None:
        return edge.FieldCondition(condition.key, match=edge.MatchValue(condition.match.value))
    bounds = condition.range
    between = edge.RangeFloat(lt=bounds.lt, lte=bounds.lte, gt=bounds.gt, gte=bounds.gte)
    return edge.FieldCondition(condition.key, range=between)


def query_of(query: models.QueryRequest) -> edge.QueryRequest:
    """Translate a search for the nearest; it looks at every point that satisfies the filter."""
    corpus = getattr(getattr(query.params, "idf", None), "corpus", None)
    return edge.QueryRequest(
        limit=query.limit,
        query=edge.Query.Nearest(_vector(query.query), using=query.using),
        filter=filter_of(query.filter),
        params=None if corpus is None else edge.SearchParams(idf=edge.IdfParams(corpus=filter_of(corpus))),
        with_payload=fields_of(query.with_payload),
        with_vector=query.with_vector,
    )


def fields_of(fields: Any) -> edge.PayloadSelector:
    """Translate which fields of the payload are wanted."""
    return edge.PayloadSelector.Include(list(fields))
