"""Logging for programs that want it; importing Axon changes nothing in the logging of a process."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any, ParamSpec, TypeVar, cast

Params = ParamSpec("Params")
ResultT = TypeVar("ResultT")

LOGGER_NAME = "axon"
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

logging.getLogger(LOGGER_NAME).addHandler(logging.NullHandler())


def setup_logging(level: int | str = logging.INFO, *, format: str = _FORMAT) -> logging.Logger:
    """Send Axon's log records to stderr.

    Parameters
    ----------
    level : a level of :mod:`logging`, by number or name.
    format : as :class:`logging.Formatter` takes it.

    Returns
    -------
    The logger named ``axon``. Calling again changes level and format instead of adding a second handler; the
    root logger is left alone.
    """
    logger = logging.getLogger(LOGGER_NAME)
    handler = next((each for each in logger.handlers if isinstance(each, logging.StreamHandler)), None)
    if handler is None:
        handler = logging.StreamHandler()
        logger.addHandler(handler)
    handler.setFormatter(logging.Formatter(format))
    logger.setLevel(level)
    return logger


def log_performance(function: Callable[Params, ResultT]) -> Callable[Params, ResultT]:
    """Log how long each call of a sync or async function takes, in milliseconds, at level INFO; failures too.

    The record goes to the logger ``axon.performance`` and carries ``operation``, ``duration_ms`` and ``ok`` as
    extra fields. Arguments are never logged, since they may be private.
    """
    name = function.__qualname__ if hasattr(function, "__qualname__") else repr(function)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def timed_async(*args: Params.args, **kwargs: Params.kwargs) -> Any:
            with _Timer(name):
                return await function(*args, **kwargs)

        return cast(Callable[Params, ResultT], timed_async)

    @functools.wraps(function)
    def timed(*args: Params.args, **kwargs: Params.kwargs) -> ResultT:
        with _Timer(name):
            return function(*args, **kwargs)

    return timed


class _Timer:
    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        milliseconds = (perf_counter() - self._started) * 1000.0
        logging.getLogger(f"{LOGGER_NAME}.performance").info(
            "%s: %.2f ms%s",
            self._name,
            milliseconds,
            "" if kind is None else f" ({kind.__name__})",
            extra={"operation": self._name, "duration_ms": milliseconds, "ok": kind is None},
        )
