"""Export and import: JSON lines that hold everything, the vectors included."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from os import PathLike, fspath
from typing import IO, Any, TypeVar

import numpy as np

from axon.core.errors import AdapterUnavailable, CorruptEntryError, InvalidInputError, SchemaVersionError
from axon.core.filter.ast import FilterNode
from axon.core.models import EntryRecord, MemoryEntry, Tier
from axon.core.operations.scope import Scope
from axon.core.operations.writing import Progress, put
from axon.core.reports import TransferReport
from axon.core.routing import route

_FORMAT = "axon-entries"
_VERSION = 1
_BATCH = 500

ResultT = TypeVar("ResultT")


async def export(
    scope: Scope,
    path: str | PathLike[str],
    tiers: Sequence[Tier],
    node: FilterNode,
    progress: Progress | None,
) -> TransferReport:
    """Write the entries of some tiers to a file, after a header line; see ``MemorySystem.export``."""
    written = 0
    file = await _in_thread(lambda: _open(path, "w"))
    try:
        header = {"format": _FORMAT, "version": _VERSION, "namespace": scope.namespace}
        file.write(json.dumps(header) + "\n")
        for tier in tiers:
            fingerprint = await scope.runtime.tiers[tier].adapter.bind_embedder(scope.namespace, None)
            async for page in scope.runtime.tiers[tier].scan(scope.namespace, node):
                lines = "".join(_line(entry, tier, fingerprint) for entry in page)
                await asyncio.to_thread(file.write, lines)
                written += len(page)
                if progress is not None:
                    progress(written, None)
    finally:
        await _in_thread(file.close)
    return TransferReport(written, fspath(path))


async def import_(scope: Scope, path: str | PathLike[str], progress: Progress | None) -> TransferReport:
    """Read entries from a file, replacing those with the same ids; see ``MemorySystem.import_``."""
    read = 0
    file = await _in_thread(lambda: _open(path, "r"))
    try:
        _check_header(await _in_thread(file.readline))
        while lines := await _in_thread(lambda: [line for line in file.readlines(1 << 20) if line.strip()]):
            for start in range(0, len(lines), _BATCH):
                part = lines[start : start + _BATCH]
                await _store_lines(scope, part, read + 2)
                read += len(part)
                if progress is not None:
                    progress(read, None)
    finally:
        await _in_thread(file.close)
    return TransferReport(read, fspath(path))


async def _store_lines(scope: Scope, lines: Sequence[str], first: int) -> None:
    by_tier: dict[tuple[Tier, str | None], list[MemoryEntry]] = {}
    for number, line in enumerate(lines, first):
        entry, tier, fingerprint = _read_line(scope, line, number)
        by_tier.setdefault((tier, fingerprint), []).append(entry)
    for (tier, fingerprint), entries in by_tier.items():
        if fingerprint is not None:
            await scope.runtime.tiers[tier].adapter.bind_embedder(scope.namespace, fingerprint)
        await put(scope, tier, entries, embedded=False, known_ids=True)


def _line(entry: MemoryEntry, tier: Tier, fingerprint: str | None) -> str:
    record, vector = entry.record, entry.stored_vector
    fields: dict[str, Any] = {name: getattr(record, name) for name in EntryRecord.__struct_fields__}
    fields["tier"] = str(tier)
    fields["embedder"] = fingerprint
    fields["embedding"] = (
        None if vector is None else base64.b64encode(vector.astype("<f4").tobytes()).decode()
    )
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _read_line(scope: Scope, line: str, number: int) -> tuple[MemoryEntry, Tier, str | None]:
    try:
        fields = json.loads(line)
        encoded, fingerprint, wanted = (
            fields.pop("embedding"),
            fields.pop("embedder"),
            Tier(fields.pop("tier")),
        )
        fields["tags"], fields["sources"] = tuple(fields["tags"]), tuple(fields["sources"])
        vector = (
            None if encoded is None else np.frombuffer(base64.b64decode(encoded), "<f4").astype(np.float32)
        )
        record = EntryRecord(**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptEntryError(f"line {number} is no exported entry: {error}") from error
    names = scope.runtime.names
    tier = wanted if wanted in names else route(record.importance, scope.runtime.config.routing, names)
    return MemoryEntry.of(record, vector), tier, fingerprint


def _check_header(line: str) -> None:
    try:
        header = json.loads(line)
        known = header["format"] == _FORMAT
        version = int(header["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInputError("the file does not start with the header of an Axon export") from error
    if not known:
        raise InvalidInputError(f"the file holds {header['format']!r}, not {_FORMAT!r}")
    if version > _VERSION:
        raise SchemaVersionError(
            f"the export has version {version}, this Axon reads up to {_VERSION}; upgrade first"
        )


def _open(path: str | PathLike[str], mode: str) -> IO[str]:
    try:
        return open(path, mode, encoding="utf-8", newline="\n")
    except OSError as error:
        raise AdapterUnavailable(f"cannot open {fspath(path)!r}: {error.strerror or error}") from error


async def _in_thread(function: Callable[[], ResultT]) -> ResultT:
    return await asyncio.to_thread(function)
