"""Our methods as spans of LlamaIndex's instrumentation, at no cost while nobody listens."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import Dispatcher
from llama_index_instrumentation.event_handlers import NullEventHandler
from llama_index_instrumentation.span_handlers import NullSpanHandler

_DEAF = (NullSpanHandler, NullEventHandler)
"""What LlamaIndex starts with."""

CallableT = TypeVar("CallableT", bound=Callable[..., Any])


def spanned(function: CallableT) -> CallableT:
    """Decorate a method: its calls become spans for handlers that are there by the time of the call.

    LlamaIndex's own decorator makes an id and binds the arguments for every call, which takes a fifth of a query,
    although by default nothing is listening.
    """
    dispatcher = get_dispatcher(function.__module__)
    observed: Callable[..., Any] = dispatcher.span(function)
    if iscoroutinefunction(function):

        @wraps(function)
        async def call_and_wait(*args: Any, **kwargs: Any) -> Any:
            return await (observed if _is_heard(dispatcher) else function)(*args, **kwargs)

        return cast("CallableT", call_and_wait)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return (observed if _is_heard(dispatcher) else function)(*args, **kwargs)

    return cast("CallableT", call)


def _is_heard(dispatcher: Dispatcher) -> bool:
    current: Dispatcher | None = dispatcher
    while current is not None:
        for handler in (*current.span_handlers, *current.event_handlers):
            if type(handler) not in _DEAF:
                return True
        current = current.parent if current.propagate else None
    return False
