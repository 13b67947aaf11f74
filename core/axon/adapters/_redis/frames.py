"""Many byte strings as one: a client spends more time on each argument and each reply than on what is in it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


def joined(parts: Sequence[bytes]) -> bytes:
    """Write byte strings as one MessagePack array of raw strings; the server's Lua knows no binary type."""
    pieces = [b"\xdd%b" % len(parts).to_bytes(4, "big")]
    for part in parts:
        pieces.append(b"\xdb%b" % len(part).to_bytes(4, "big"))
        pieces.append(part)
    return b"".join(pieces)


_parts = msgspec.msgpack.Decoder(list[msgspec.Raw])
_HEADS = {0xD9: 2, 0xDA: 3, 0xDB: 5}
"""Bytes before a raw string of 32 bytes and more, by the first of them; a shorter one has one."""


def parted(whole: bytes) -> list[bytes]:
    """Read byte strings that the server's Lua packed."""
    return [part[_HEADS.get(part[0], 1) :] for part in map(bytes, _parts.decode(whole))]
