"""Qdrant's gRPC interface, from the stubs that come with its client; messages become the client's own models."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from qdrant_client import grpc as q
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc
from qdrant_client.http import models as m

from tests.servers.qdrant_engine import Engine, Refused
from tests.servers.qdrant_faults import Backdoor

_STATUS = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    501: grpc.StatusCode.UNIMPLEMENTED,
}
_DONE = q.UpdateResult(operation_id=1, status=q.UpdateStatus.Completed)
_UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def has(message: Any, field: str, convert: Callable[[Any], Any]) -> Any:
    """Convert an optional field; None where it is not there."""
    return convert(getattr(message, field)) if message.HasField(field) else None


class Collections(q.CollectionsServicer):
    """The service that makes and deletes collections."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def List(self, request: Any, context: Any) -> Any:
        names = [q.CollectionDescription(name=each) for each in self._engine.names()]
        return q.ListCollectionsResponse(collections=names)

    def CollectionExists(self, request: Any, context: Any) -> Any:
        exists = request.collection_name in self._engine.names()
        return q.CollectionExistsResponse(result=q.CollectionExists(exists=exists))

    def Create(self, request: Any, context: Any) -> Any:
        asked = m.CreateCollection(
            vectors=has(request, "vectors_config", GrpcToRest.convert_vectors_config),
            sparse_vectors=has(request, "sparse_vectors_config", GrpcToRest.convert_sparse_vector_config),
        )
        return q.CollectionOperationResponse(result=self._engine.create(request.collection_name, asked))

    def Delete(self, request: Any, context: Any) -> Any:
        return q.CollectionOperationResponse(result=self._engine.drop(request.collection_name))


class Points(q.PointsServicer):
    """The service that writes and reads points."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def CreateFieldIndex(self, request: Any, context: Any) -> Any:
        schema = has(request, "field_index_params", GrpcToRest.convert_payload_schema_params)
        if schema is None:
            name = q.FieldType.Name(request.field_type).removeprefix("FieldType")
            schema = m.PayloadSchemaType(name.lower())
        self._engine.index(request.collection_name, request.field_name, schema)
        return q.PointsOperationResponse(result=_DONE)

    def Upsert(self, request: Any, context: Any) -> Any:
        points = [GrpcToRest.convert_point_struct(each) for each in request.points]
        self._engine.upsert(request.collection_name, points)
        return q.PointsOperationResponse(result=_DONE)

    def UpdateBatch(self, request: Any, context: Any) -> Any:
        operations = [GrpcToRest.convert_points_update_operation(each) for each in request.operations]
        self._engine.update(request.collection_name, operations)
        return q.UpdateBatchResponse(result=[_DONE] * len(operations))

    def Delete(self, request: Any, context: Any) -> Any:
        self._engine.delete(request.collection_name, GrpcToRest.convert_points_selector(request.points))
        return q.PointsOperationResponse(result=_DONE)

    def Get(self, request: Any, context: Any) -> Any:
        asked = m.PointRequest(
            ids=[GrpcToRest.convert_point_id(each) for each in request.ids],
            with_payload=has(request, "with_payload", GrpcToRest.convert_with_payload_selector),
            with_vector=has(request, "with_vectors", GrpcToRest.convert_with_vectors_selector),
        )
        found = self._engine.retrieve(request.collection_name, asked)
        return q.GetResponse(result=[RestToGrpc.convert_record(each) for each in found])

    def Count(self, request: Any, context: Any) -> Any:
        asked = m.CountRequest(
            filter=has(request, "filter", GrpcToRest.convert_filter), exact=has(request, "exact", bool)
        )
        count = self._engine.count(request.collection_name, asked)
        return q.CountResponse(result=q.CountResult(count=count))

    def Scroll(self, request: Any, context: Any) -> Any:
        asked = m.ScrollRequest(
            filter=has(request, "filter", GrpcToRest.convert_filter),
            limit=has(request, "limit", int),
            offset=has(request, "offset", GrpcToRest.convert_point_id),
            with_payload=has(request, "with_payload", GrpcToRest.convert_with_payload_selector),
            with_vector=has(request, "with_vectors", GrpcToRest.convert_with_vectors_selector),
        )
        found, offset = self._engine.scroll(request.collection_name, asked)
        following = None if offset is None else RestToGrpc.convert_extended_point_id(offset)
        points = [RestToGrpc.convert_record(each) for each in found]
        return q.ScrollResponse(result=points, next_page_offset=following)

    def Query(self, request: Any, context: Any) -> Any:
        points = self._engine.query(request.collection_name, [GrpcToRest.convert_query_points(request)])[0]
        return q.QueryResponse(result=[RestToGrpc.convert_scored_point(each) for each in points])

    def QueryBatch(self, request: Any, context: Any) -> Any:
        searches = [GrpcToRest.convert_query_points(each) for each in request.query_points]
        answers = self._engine.query(request.collection_name, searches)
        results = [[RestToGrpc.convert_scored_point(each) for each in points] for points in answers]
        return q.QueryBatchResponse(result=[q.BatchResult(result=points) for points in results])

    def Facet(self, request: Any, context: Any) -> Any:
        asked = m.FacetRequest(
            key=request.key,
            filter=has(request, "filter", GrpcToRest.convert_filter),
            limit=has(request, "limit", int),
            exact=has(request, "exact", bool),
        )
        hits = self._engine.facet(request.collection_name, asked)
        return q.FacetResponse(hits=[RestToGrpc.convert_facet_value_hit(each) for each in hits])


class Health(q.QdrantServicer):
    """The service that says who answers."""

    def HealthCheck(self, request: Any, context: Any) -> Any:
        return q.HealthCheckReply(title="contract server", version="1.0.0")


class Watched(grpc.ServerInterceptor):
    """Notes every call, lets it fail where a fault is due, and turns refusals into statuses.

    A fault is an object with ``code``, the name of a status, and ``headers``, or ``hang``.
    """

    def __init__(self, backdoor: Backdoor) -> None:
        self._backdoor = backdoor

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        found = continuation(details)
        if found is None:
            return None
        metadata = dict(details.invocation_metadata)

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            about = {"method": "GRPC", "path": details.method, "key": metadata.get("api-key")}
            note = self._backdoor.note(
                about, lambda: MessageToDict(request, preserving_proto_field_name=True)
            )
            time.sleep(note.get("hang", 0))
            if "code" in note:
                context.set_trailing_metadata(tuple(note.get("headers", {}).items()))
                context.abort(grpc.StatusCode[note["code"]], "scripted")
            try:
                return found.unary_unary(request, context)
            except Refused as error:
                context.abort(_STATUS.get(error.status, grpc.StatusCode.INTERNAL), str(error))
            except ValueError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

        return grpc.unary_unary_rpc_method_handler(
            answer, found.request_deserializer, found.response_serializer
        )


def grpc_server(port: int, engine: Engine, backdoor: Backdoor) -> grpc.Server:
    """Make a server on a port of the loopback interface; not yet started.

    Raises
    ------
    RuntimeError
        If the port is taken.
    """
    server = grpc.server(
        futures.ThreadPoolExecutor(16),
        interceptors=[Watched(backdoor)],
        # Without it a second server could listen on the same port.
        options=[*_UNLIMITED, ("grpc.so_reuseport", 0)],
    )
    q.add_CollectionsServicer_to_server(Collections(engine), server)
    q.add_PointsServicer_to_server(Points(engine), server)
    q.add_QdrantServicer_to_server(Health(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    return server
