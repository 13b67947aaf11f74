"""Ids and namespaces of any form, in the ASCII that Pinecone takes."""

from __future__ import annotations

import re
from hashlib import blake2b
from urllib.parse import quote, unquote

ABOUT = "axon"
"""Id of the record that describes a namespace; no entry has it, because theirs begin with ``=`` or ``~``."""

_LONGEST_NAMESPACE = 512
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:@-]{1,100}")


def record_id(id: str) -> str:
    """Name the record of an entry: readable where the id is plain, else a digest; the id itself is in the metadata."""
    return f"={id}" if _PLAIN_ID.fullmatch(id) else "~" + _digest(id)


def namespace_name(prefix: str, namespace: str) -> str:
    """Name a namespace of ours in Pinecone.

    Parameters
    ----------
    prefix : ends with a dot.
    namespace : any text.
    """
    # A dot is in no encoded name, so that one prefix never reaches into the names of another.
    quoted = quote(namespace, safe="", errors="surrogatepass").replace(".", "%2E").replace("~", "%7E")
    name = prefix + quoted
    return name if len(name) <= _LONGEST_NAMESPACE else f"{prefix}~{_digest(namespace)}"


def namespace_of(prefix: str, name: str) -> str | None:
    """Read what :func:`namespace_name` wrote; "" where only its record knows, None where the name is not ours."""
    rest = name.removeprefix(prefix)
    if not name.startswith(prefix) or "." in rest:
        return None
    return "" if rest.startswith("~") else unquote(rest, errors="surrogatepass")


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=20).hexdigest()
