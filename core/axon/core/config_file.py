"""Configuration files: TOML or JSON, with secrets left to the environment. Only reads; ``MemoryConfig`` checks."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from axon.core.errors import ConfigError

_REFERENCE = re.compile(r"\$(\$)?\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_READERS: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads}


def read_config_file(path: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Read a file into tables, with references to environment variables replaced.

    ``${NAME}`` anywhere in a string stands for the variable's value, ``$${`` for the characters ``${``.

    Parameters
    ----------
    path : ends in ``.toml`` or ``.json``; UTF-8.
    environment : where references are looked up.

    Raises
    ------
    ConfigError
        If the file cannot be read or parsed, or a variable is not set. The message names the place, never a value.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ConfigError(f"{path}: a configuration file ends in .toml or .json")
    try:
        content = read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid {path.suffix[1:].upper()}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: the file holds no table")
    return {key: _filled_in(value, f"{path}: {key}", environment) for key, value in content.items()}


def _filled_in(value: Any, place: str, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled_in(each, f"{place}.{key}", environment) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled_in(each, f"{place}[{number}]", environment) for number, each in enumerate(value)]
    if not isinstance(value, str):
        return value

    def look_up(found: re.Match[str]) -> str:
        escaped, name = found.groups()
        if escaped:
            return found[0][1:]
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{place}: what ${{}} encloses is not the name of an environment variable")
        if name not in environment:
            raise ConfigError(f"{place}: the environment variable {name} is not set")
        return environment[name]

    return _REFERENCE.sub(look_up, value)
