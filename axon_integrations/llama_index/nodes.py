"""A LlamaIndex node as an entry, and an entry as a node.

The user's metadata is stored as it is. What a node has besides sits under one hidden prefix of metadata keys,
which no node ever shows: its type and structure as JSON text, the id of its document, and, for filters, the
values inside nested dicts under their dotted paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from llama_index.core.schema import BaseNode, ImageNode, IndexNode, MetadataMode, Node, TextNode

from axon.core.errors import InvalidInputError
from axon.core.filter.ast import Field
from axon.core.models import HIDDEN_PREFIX, JsonValue, MemoryEntry, MemoryInput, copy_json_object
from axon.core.validation import check_id, check_text, check_vector
from axon_integrations._shared.inputs import entry_fields

FACE_PREFIX: Final = HIDDEN_PREFIX + "llama_index."
PATH_PREFIX: Final = FACE_PREFIX + "path."
NODE_KEY: Final = FACE_PREFIX + "node"
REF_DOC_ID: Final = Field(FACE_PREFIX + "ref_doc_id", is_metadata=True)

_TYPES: dict[str, type[BaseNode]] = {
    each.class_name(): each for each in (IndexNode, ImageNode, Node, TextNode)
}
_MEDIA = ("image_resource", "audio_resource", "video_resource")
# Kept by the entry itself, or, as the vector, not needed to rebuild the node.
_HELD_BY_ENTRY = frozenset({"id_", "text", "metadata", "embedding", "class_name"})


def node_to_input(node: BaseNode) -> MemoryInput:
    """Turn a node into one item of a bulk store; the node is left alone.

    Parameters
    ----------
    node : with an embedding.

    Raises
    ------
    InvalidInputError
        If the node has no embedding, its id, text or metadata cannot be stored, or its structure is not JSON.
    EmbeddingError
        If the embedding holds NaN or is no list of numbers.
    """
    if node.embedding is None:
        raise InvalidInputError(f"node {node.node_id!r} has no embedding; embed it before adding it")
    metadata = _own_metadata(node)
    fields = entry_fields(metadata)
    text = node.get_content(metadata_mode=MetadataMode.NONE)
    return MemoryInput(
        # An entry has text even where a node, such as an image, has none.
        text=check_text(text) if text.strip() else f"[{node.class_name()}]",
        id=check_id(node.node_id),
        importance=fields.importance,
        tags=fields.tags or (),
        metadata={**metadata, **_hidden_metadata(node, metadata, text)},
        embedding=check_vector(node.embedding),
        session_id=fields.session_id,
    )


def entry_to_node(entry: MemoryEntry) -> BaseNode:
    """Turn an entry into a node without its vector.

    Entries that were never a node, such as those of ``memory.store``, become a ``TextNode``. Documents come
    back as ``TextNode`` too, as from every vector store of LlamaIndex; those with media as ``Node``.
    """
    stored = entry.record.metadata.get(NODE_KEY)
    structure = msgspec.json.decode(stored) if isinstance(stored, str) else {}
    kind = structure.pop("class_name", "")
    text = structure.pop("blank_text", entry.text)
    made = _TYPES.get(kind, TextNode)
    if made is not Node:
        structure["text"] = text
    elif "text_resource" in structure:
        structure["text_resource"]["text"] = text
    fields = {**structure, "id_": entry.id, "metadata": entry.metadata}
    # Only an index node, which may hold another, needs more than its constructor.
    return made.from_dict(fields) if made is IndexNode else made(**fields)


def _own_metadata(node: BaseNode) -> dict[str, JsonValue]:
    """Copy the user's metadata, refusing what JSON cannot hold and what would look like ours."""
    metadata = copy_json_object(node.metadata)
    for key in metadata:
        if key.startswith(HIDDEN_PREFIX):
            raise InvalidInputError(
                f"metadata key {key!r}: names that start with {HIDDEN_PREFIX!r} are Axon's own"
            )
    return metadata


def _hidden_metadata(node: BaseNode, metadata: Mapping[str, JsonValue], text: str) -> dict[str, JsonValue]:
    try:
        structure = _structure(node)
        if not text.strip():
            structure["blank_text"] = text
        hidden: dict[str, JsonValue] = {NODE_KEY: msgspec.json.encode(structure).decode()}
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"node {node.node_id!r} cannot be stored: {error}") from error
    if node.ref_doc_id is not None:
        hidden[REF_DOC_ID.name] = node.ref_doc_id
    for path, value in _paths(metadata, ""):
        hidden.setdefault(PATH_PREFIX + path, value)
    return hidden


def _structure(node: BaseNode) -> dict[str, Any]:
    """Dump what differs from a new node and is not held by the entry."""
    structure = node.model_dump(mode="json", exclude={*_HELD_BY_ENTRY, "obj"}, exclude_defaults=True)
    structure["class_name"] = _stored_type(node, structure)
    if isinstance(node, IndexNode) and node.obj is not None:
        # Only this older form marks a node inside a node in such a way that every core reads it back.
        structure["obj"] = node.dict()["obj"]
    return structure


def _stored_type(node: BaseNode, structure: dict[str, Any]) -> str:
    """Name the type to rebuild, and make ``structure`` fit it."""
    if not isinstance(node, Node):
        kinds = (kind for kind in (IndexNode, ImageNode) if isinstance(node, kind))
        return next(kinds, TextNode).class_name()
    media = [name for name in _MEDIA if getattr(node, name, None) is not None]
    if type(node) is not Node and not media:
        structure.pop("text_resource", None)
        return TextNode.class_name()
    structure.get("text_resource", {}).pop("text", None)
    # LlamaIndex leaves the bytes of a resource out of every dump; they are base64 already.
    for name in media:
        data = getattr(node, name).data
        if data is not None:
            structure[name]["data"] = data.decode("ascii")
    return Node.class_name()


def _paths(source: Mapping[str, JsonValue], parent: str) -> Iterator[tuple[str, JsonValue]]:
    """Walk the values inside nested dicts with their dotted paths.

    A dict on the way shows as ``{}``: a filter can only ask whether it is there.
    """
    for key, value in source.items():
        path = f"{parent}{key}"
        if parent:
            yield path, {} if isinstance(value, dict) else value
        if isinstance(value, dict):
            yield from _paths(value, f"{path}.")
