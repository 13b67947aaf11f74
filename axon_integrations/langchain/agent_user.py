"""Whose memory an agent uses: found in what the application passes, never in what the model says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from axon.core.errors import ConfigError
from axon.core.memory_system import MemorySystem
from axon_integrations._shared.owning import owner_of

UserSource: TypeAlias = str | Callable[[Any], str]
"""A user id, or a function of LangGraph's runtime that returns one."""

NAMESPACE = "user/{user_id}"
_FIELD = "{user_id}"


class UserScopes:
    """Finds the user of a run, and the part of a memory that is theirs.

    Parameters
    ----------
    memory : shared by all users.
    user_id : the user, or a function of the runtime; None looks, in this order, into ``runtime.context`` (an
        attribute or key ``user_id``), ``config["configurable"]["user_id"]`` and the authenticated user of
        LangGraph's server.
    namespace : the user's namespace, with ``{user_id}`` in it.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem``, or ``namespace`` does not hold ``{user_id}``.
    """

    def __init__(self, memory: MemorySystem, user_id: UserSource | None, namespace: str) -> None:
        self._memory = owner_of(memory)
        if _FIELD not in namespace:
            raise ConfigError(f"namespace={namespace!r} is the same for all users; it must hold {_FIELD}")
        if isinstance(user_id, str):
            _checked(user_id)
        self._user_id = user_id
        self._namespace = namespace

    def memory_of(self, runtime: Any, config: Mapping[str, Any] | None) -> MemorySystem:
        """Return the memory of the user of this run.

        Raises
        ------
        ConfigError
            If there is no user, or the id is no non-empty string (integers and UUIDs are taken as such).
        InvalidInputError
            If the id cannot be part of a namespace.
        """
        return self._memory.scope(self._namespace.replace(_FIELD, self._user(runtime, config)))

    def _user(self, runtime: Any, config: Mapping[str, Any] | None) -> str:
        if self._user_id is not None:
            return _checked(self._user_id(runtime) if callable(self._user_id) else self._user_id)
        server_user = getattr(getattr(runtime, "server_info", None), "user", None)
        places = (
            _read(getattr(runtime, "context", None), "user_id"),
            _read((config or {}).get("configurable"), "user_id"),
            _read(server_user, "identity"),
        )
        for found in places:
            if found is not None:
                return _checked(found)
        raise ConfigError(
            'whose memory is it? Pass context={"user_id": ...} (or an object with that attribute) or '
            'config={"configurable": {"user_id": ...}} to the agent, or user_id= to this object'
        )


def _read(source: Any, name: str) -> Any:
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


def _checked(user_id: Any) -> str:
    if isinstance(user_id, UUID) or (isinstance(user_id, int) and not isinstance(user_id, bool)):
        user_id = str(user_id)
    if not isinstance(user_id, str) or not user_id.strip():
        raise ConfigError(f"a user id must be a non-empty string, not {user_id!r}")
    return user_id


def thread_of(config: Mapping[str, Any] | None) -> str | None:
    """Return the id of the thread that a run belongs to; None for a run without one."""
    thread = _read((config or {}).get("configurable"), "thread_id")
    return None if thread is None or thread == "" else str(thread)
