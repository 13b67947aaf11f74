"""Names of keys. Everything of one namespace shares a hash tag, so that a cluster keeps it on one node."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote


class Space:
    """The keys of one namespace.

    Attributes
    ----------
    namespace : its name.
    entry_prefix : what precedes an id in the key of an entry; ids follow as they are, so none can collide.
    meta : hash of ``epoch`` (changes when the namespace is cleared), ``seq`` (number of the last change),
        ``floor`` (deletions up to this one are no longer listed), ``dims`` and ``embedder``; for the search index
        ``docs`` (there are documents), ``loose`` (some have no vector), ``plain`` (last change written without one),
        ``filled`` (all up to this one have theirs), ``texts`` and ``words`` (indexed so far, replaced ones included).
    index : sorted set of the ids that are there, by the number of their last change.
    deleted : sorted set of the ids deleted lately, by the number of the deletion.
    expiring : sorted set of the ids that expire, by milliseconds of the server's clock.
    access : hash of ``count time`` by id, for entries that were accessed.
    touched : sorted set of ids by the number of the last change of their access statistics.
    documents : what stands before and behind the number of dimensions in the key of a document for the search module.
    fixed : the six keys before, in the order in which every script takes them.
    """

    def __init__(self, prefix: str, namespace: str) -> None:
        self.namespace = namespace
        tag = f"{{{quoted(namespace)}}}"
        base = f"{prefix}:{tag}".encode()
        self.entry_prefix = base + b":e:"
        self.meta = base + b":meta"
        self.index = base + b":index"
        self.deleted = base + b":deleted"
        self.expiring = base + b":expiring"
        self.access = base + b":access"
        self.touched = base + b":touched"
        self.documents = (f"{prefix}:v".encode(), f":{tag}:".encode())
        self.fixed = (self.meta, self.index, self.deleted, self.expiring, self.access, self.touched)

    def entry(self, id: str) -> bytes:
        """Key of one entry."""
        return self.entry_prefix + id.encode()

    def document(self, dims: int) -> bytes:
        """Return what precedes an id in the key of a document with a vector of ``dims`` numbers; 0 without one."""
        head, tail = self.documents
        return b"%b%d%b" % (head, dims, tail)

    def entries(self, ids: Iterable[bytes]) -> list[bytes]:
        """Keys of entries whose ids the server told."""
        return [self.entry_prefix + id for id in ids]


class Keyspace:
    """All keys of one adapter.

    Parameters
    ----------
    prefix : as the user gave it; characters that are syntax to Redis are written as ``%XX``.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = quote(prefix, safe=":")
        self._spaces: dict[str, Space] = {}
        self.registry = f"{self._prefix}:namespaces".encode()

    def index_name(self, dims: int) -> str:
        """Name the search index of vectors of ``dims`` numbers."""
        return f"{self._prefix}:search:{dims}"

    def index_prefix(self, dims: int) -> str:
        """Return what the keys of the documents in that index start with, whatever the namespace."""
        return f"{self._prefix}:v{dims}:"

    def space(self, namespace: str) -> Space:
        """Return the keys of a namespace."""
        space = self._spaces.get(namespace)
        if space is None:
            space = Space(self._prefix, namespace)
            if len(self._spaces) < _KEPT:
                self._spaces[namespace] = space
        return space


_KEPT = 10_000
"""Namespaces whose keys are remembered; others are named anew at each call."""


def quoted(name: str) -> str:
    """Write a name without characters that are syntax; never empty, since ``{}`` is no hash tag."""
    return quote(name, safe="") or "%"


def unquoted(name: str) -> str:
    """Read what :func:`quoted` wrote."""
    return "" if name == "%" else unquote(name)
