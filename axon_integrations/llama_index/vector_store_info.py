"""What an auto-retriever must know about Axon's own fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llama_index.core.vector_stores.types import MetadataInfo, VectorStoreInfo

AXON_METADATA_INFO: Final[tuple[MetadataInfo, ...]] = tuple(
    MetadataInfo(name=name, type=kind, description=description)
    for name, kind, description in (
        (
            "tags",
            "list[str]",
            "labels; use == for 'has this label', in for 'has one of', all for 'has all of'",
        ),
        ("importance", "float", "how important the text is, from 0 (fleeting) to 1 (vital)"),
        ("tier", "str", "where the text is kept: 'ephemeral', 'session' or 'persistent'"),
        ("session_id", "str", "conversation the text belongs to"),
        ("created_at", "str", "when the text was first stored, an ISO 8601 time in UTC; use <, <=, > or >="),
        ("updated_at", "str", "when the text was last written, an ISO 8601 time in UTC; use <, <=, > or >="),
        ("expires_at", "str", "when the text will be forgotten, an ISO 8601 time in UTC; empty for never"),
        ("id", "str", "id of the text"),
    )
)
"""One line for each reserved key, in the words of a prompt."""


def axon_vector_store_info(
    content_info: str = "Texts that the application remembers.", metadata_info: Sequence[MetadataInfo] = ()
) -> VectorStoreInfo:
    """Describe a store for ``VectorIndexAutoRetriever``: Axon's reserved keys and the user's own.

    Parameters
    ----------
    content_info : what the texts are about.
    metadata_info : the keys that the nodes' metadata has; one with a reserved name replaces ours.
    """
    own = {each.name for each in metadata_info}
    reserved = [each for each in AXON_METADATA_INFO if each.name not in own]
    return VectorStoreInfo(content_info=content_info, metadata_info=[*reserved, *metadata_info])
