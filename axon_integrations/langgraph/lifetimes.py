"""How long items live: each access of an item with a lifetime of its own begins it anew."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from weakref import WeakMethod

import msgspec
from langgraph.store.base import TTLConfig

from axon.core.errors import AdapterError, ConfigError
from axon.core.keyed import Changes, KeyedEntries
from axon.core.models import EntryRecord, MemoryEntry
from axon_integrations.langgraph.calls import Calls
from axon_integrations.langgraph.items import minutes_of, part_ids, parts_of, place_of, same_write
from axon_integrations.langgraph.requests import check_minutes

_MINUTE_US = 60_000_000
_KEYS = ("default_ttl", "refresh_on_read", "omit_expired", "sweep_interval_minutes")

logger = logging.getLogger("axon")


def read_ttl(config: TTLConfig | None) -> TTLConfig | None:
    """Check LangGraph's lifetime configuration.

    Raises
    ------
    ConfigError
        For an unknown key or a value that is none of its.
    """
    if config is None:
        return None
    for key in config:
        if key not in _KEYS:
            raise ConfigError(f"ttl has the unknown key {key!r}; known: {', '.join(_KEYS)}")
    try:
        check_minutes(config.get("default_ttl"))
        check_minutes(config.get("sweep_interval_minutes"))
    except ValueError as error:
        raise ConfigError(f"default_ttl and sweep_interval_minutes: {error}") from error
    for key in ("refresh_on_read", "omit_expired"):
        if not isinstance(config.get(key, True), bool):
            raise ConfigError(f"{key} must be true or false, not {config.get(key)!r}")
    return config


def renewed(record: EntryRecord, now_us: int) -> EntryRecord | None:
    """Give a record that has just been accessed its lifetime anew; None where that would change next to nothing.

    A lifetime is begun anew once it is a second or a hundredth of itself old, whichever is less. Reading an item
    many times a second then writes it once.
    """
    minutes = minutes_of(record)
    if minutes is None or record.expires_us is None:
        return None
    life_us = round(minutes * _MINUTE_US)
    grain_us = min(life_us // 100, _MINUTE_US // 60)
    if now_us + life_us - record.expires_us <= grain_us:
        return None
    return msgspec.structs.replace(record, expires_us=now_us + life_us)


async def renew(entries: KeyedEntries, calls: Calls, accessed: Iterable[MemoryEntry]) -> None:
    """Begin the lifetimes of items anew, those of their parts with them; nothing else of them changes."""
    now_us = entries.now_us()
    due = {entry.record.id: entry.record for entry in accessed if renewed(entry.record, now_us) is not None}
    if not due:
        return
    parts = {
        part: id for id, record in due.items() for part in part_ids(*place_of(id), 1, parts_of(record) + 1)
    }

    async def plan(stored: Mapping[str, MemoryEntry]) -> Changes:
        changed = []
        for id, entry in stored.items():
            item = stored.get(parts.get(id, id))
            record = renewed(entry.record, now_us)
            if record is not None and item is not None and same_write(item.record, record):
                changed.append(MemoryEntry.of(record, entry.embedding))
        return Changes(changed)

    # Whoever is writing one of them gives it a new lifetime anyway.
    with calls.holding(list(due)):
        await entries.change([*due, *parts], plan, wait=False)


class Sweeper:
    """Deletes what has expired, again and again, from a thread of its own.

    Parameters
    ----------
    sweep : a method; the thread ends with the object it belongs to.
    """

    def __init__(self, sweep: Callable[[], int]) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._sweep = WeakMethod(sweep, lambda _: self._stop.set())

    def start(self, minutes: float) -> None:
        """Sweep every ``minutes`` minutes; does nothing while it runs already."""
        with self._lock:
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=_sweep_on,
                    args=(self._sweep, self._stop, minutes),
                    name="axon-sweeper",
                    daemon=True,
                )
                self._thread.start()

    def stop(self, timeout: float | None = None) -> bool:
        """Stop, and wait for a sweep that is under way at most ``timeout`` seconds; tells whether it has ended."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._stop.set()
        if thread is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()


def _sweep_on(sweep: WeakMethod[Callable[[], int]], stop: threading.Event, minutes: float) -> None:
    while not stop.wait(minutes * 60.0):
        method = sweep()
        if method is None:
            return
        try:
            method()
        except AdapterError as error:
            logger.warning("sweeping expired items failed: %s", error)
        del method
