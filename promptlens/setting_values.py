"""Values of settings files: each is checked when it is read, and what is wrong is said with the file and the key.

A name may be written with "-" or "_" between its words. Folders and patterns are relative to the file that says them. Where settings come
from is left to config.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptlens.errors import ConfigError, PromptLensError, UnknownNameError
from promptlens.home import with_home
from promptlens.hosts import HOSTS
from promptlens.models import get_model
from promptlens.patterns import matched, relative

# What may stand in a table of `per-path`.
PER_PATH = (
    "host",
    "model",
    "clip_skip",
    "options",
    "select",
    "ignore",
    "extend_select",
    "limits",
    "unit",
    "every_line",
    "keys",
    "role",
    "format",
    "max_file_size",
)
NOT_LIMITS = ("template", "role", "embeddings", "loras", "wildcards")
ROLES = ("positive", "negative", "caption")


@dataclass(frozen=True, slots=True)
class PathSettings:
    """Values for the files that match a pattern, as in .gitignore, below the folder `base`."""

    pattern: str
    base: str
    values: Mapping[str, Any]
    origin: str

    def matches(self, path: str) -> bool:
        """Whether they hold for a file."""
        below = relative(os.path.abspath(path), self.base)
        return below is not None and matched((self.pattern,), below) is True


def as_toml(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{as_toml(str(key))} = {as_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, (int, float)):
        return str(value)
    import json  # TOML's strings are JSON's

    return json.dumps(str(value))


def checked_table(table: Mapping[str, Any], known: Iterable[str], path: Path, where: str = "") -> dict[str, Any]:
    """The settings of a table under their names, checked. Raises `ConfigError` or `UnknownNameError`."""
    names = {name: name.replace("-", "_") for name in table}
    known = tuple(known)
    for name, plain in names.items():
        if plain not in known:
            raise UnknownNameError("setting", name, known, where=f"{path}{f': {where}' if where else ''}")
    found = {}
    for name, value in table.items():
        try:
            found[names[name]] = _CHECKS[names[name]](value, path)
        except PromptLensError as error:
            if str(error).startswith(f"{path}: "):  # said already, within
                raise
            raise ConfigError(f"{path}: {where + '.' if where else ''}{name}: {error}") from None
    return found


def checked_value(name: str, value: Any, folder: Path) -> Any:
    """A value of one setting, checked; folders are relative to the one given. Raises a child of `PromptLensError`."""
    return _CHECKS[name](value, folder / "settings")


def _text(value: Any, _: Path) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"must be a string, not {value!r}.")
    return value


def _host(value: Any, path: Path) -> str:
    HOSTS[_text(value, path)]
    return str(value)


def _model(value: Any, path: Path) -> str:
    get_model(_text(value, path))
    return str(value)


def _one_of(*known: str) -> Callable[[Any, Path], str]:
    def check(value: Any, path: Path) -> str:
        if _text(value, path) not in known:
            raise UnknownNameError("value", value, known)
        return str(value)

    return check


def _flag(value: Any, _: Path) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"must be true or false, not {value!r}.")
    return value


def _texts(value: Any, _: Path) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ConfigError(f"must be a list of strings, not {value!r}.")
    return tuple(texts)


def _codes(value: Any, path: Path) -> tuple[str, ...]:
    from promptlens.rules import Selection  # the names of the rules, only where some are named

    return Selection(select=_texts(value, path)).select


def _file(value: Any, path: Path) -> str:
    return str(path.parent / with_home(value)) if _text(value, path) else ""


def _folders(value: Any, path: Path) -> tuple[str, ...]:
    """A folder or a list of folders, relative to the settings file."""
    folders = [value] if isinstance(value, str) else value
    if not isinstance(folders, list) or not all(isinstance(folder, str) for folder in folders):
        raise ConfigError(f"must be a list of folders, not {value!r}.")
    return tuple(str(path.parent / with_home(folder)) for folder in folders)


def _encoder_paths(value: Any, path: Path) -> tuple[str, ...]:
    """A file or folder, a list of them, or a table of them by encoder; as "PATH" and "NAME=PATH", relative to the settings file."""
    from promptlens.models import ENCODERS

    if isinstance(value, dict):
        for name in value:
            if name not in ENCODERS:
                raise UnknownNameError("encoder", name, ENCODERS)
        named = [(name, item) for name, item in value.items()]
    else:
        named = [("", item) for item in ([value] if isinstance(value, str) else value if isinstance(value, list) else [None])]
    if not all(isinstance(item, str) and item for _, item in named):
        raise ConfigError(f"must be a path, a list of paths or a table of them by encoder, not {value!r}.")
    found = []
    for name, item in named:
        before, equals, after = item.partition("=")
        if not name and equals and before in ENCODERS:
            name, item = before, after
        found.append(f"{name}={_file(item, path)}" if name else _file(item, path))
    return tuple(found)


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"must be a table, not {value!r}.")
    return value


def _options(value: Any, path: Path) -> dict[str, Any]:
    """Host options: each must be known to some host. A folder is relative to the settings file."""
    options = _table(value)
    known = {name for host in HOSTS.built_in for name in HOSTS[host].options.__dataclass_fields__} if options else set()
    if not known.issuperset(options):  # hosts of other packages are looked for only then
        known |= {name for host in HOSTS.values() for name in host.options.__dataclass_fields__}
    for name in options:
        if name not in known:
            raise UnknownNameError("option", name, sorted(known))
    found = dict(options)
    if isinstance(found.get("embeddings"), str):
        found["embeddings"] = str(path.parent / with_home(found["embeddings"]))
    return found


def _limits(value: Any, _: Path) -> dict[str, Any]:
    """What the rules measure by."""
    from promptlens.rules import RuleSettings

    known = [name for name in RuleSettings.__dataclass_fields__ if name not in NOT_LIMITS]
    found = {name.replace("-", "_"): item for name, item in _table(value).items()}
    for name in found:
        if name not in known:
            raise UnknownNameError("limit", name, known)
    RuleSettings(**found)
    return found


_SIZE = re.compile(r"(\d{1,15})\s*(?:([kMG])i?)?B?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}


def _size(value: Any, _: Path) -> int:
    """Bytes, as a number or as people write them.

    >>> _size("200 MB", Path())
    209715200
    """
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    size = int(found[1]) * 1024 ** _POWERS[(found[2] or "").lower()] if found else value
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ConfigError(f'must be a number of bytes, or a size such as "200 MB", not {value!r}.')
    return size


def _whole(least: int, said: str = "") -> Callable[[Any, Path], int]:
    """A check for whole numbers; `said` explains the least one."""

    def check(value: Any, _: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(f"must be a whole number from {least}{said}, not {value!r}.")
        return value

    return check


def _keys(value: Any, _: Path) -> tuple[tuple[str, str], ...]:
    """Paths of prompts in JSON and other files, each with its role."""
    for key, role in _table(value).items():
        if role not in ROLES:
            raise UnknownNameError("role", str(role), ROLES, where=key)
    return tuple(value.items())


def _tui_keys(value: Any, _: Path) -> Mapping[str, str]:
    """Keys by the ids of bindings; which ids and keys there are is checked where the terminal UI starts, which knows them."""
    for name, keys in _table(value).items():
        if not isinstance(keys, str) or not keys:
            raise ConfigError(f'{name} must be a key as in "ctrl+n", or several with commas between, not {keys!r}.')
    return dict(value)


def _format(value: Any, path: Path) -> str:
    from promptlens.sources import FORMATS

    return FORMATS[_text(value, path)].name


def _per_path(value: Any, path: Path) -> tuple[PathSettings, ...]:
    """Tables by pattern."""
    base = str(path.parent.resolve())
    return tuple(
        PathSettings(pattern, base, checked_table(_table(table), PER_PATH, path, f'per-path."{pattern}"'), str(path))
        for pattern, table in _table(value).items()
    )


_CHECKS: dict[str, Callable[[Any, Path], Any]] = {
    "host": _host,
    "model": _model,
    "color": _one_of("auto", "always", "never"),
    "clip_skip": _whole(1, ", the last layer"),
    "t5_tokenizer": _file,
    "encoder_paths": _encoder_paths,
    "installs": _folders,
    "precision": _one_of("fp32", "bf16"),
    "options": _options,
    "select": _codes,
    "ignore": _codes,
    "extend_select": _codes,
    "limits": _limits,
    "loras": _file,
    "wildcards": _file,
    "exclude": _texts,
    "extend_exclude": _texts,
    "force_exclude": _flag,
    "respect_gitignore": _flag,
    "unit": _one_of("line", "file"),
    "every_line": _flag,
    "keys": _keys,
    "max_file_size": _size,
    "role": _one_of(*ROLES),
    "format": _format,
    "baseline": _file,
    "max_warnings": _whole(0),
    "jobs": _whole(1),
    "tui_keys": _tui_keys,
    "per_path": _per_path,
}
