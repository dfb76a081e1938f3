"""Writes values into a settings file and leaves every byte outside of them as it was: comments, order, newlines, byte order mark.

    read = read_settings_file(target_of(settings, opened))
    write_settings(read, {"clip_skip": 2, "options.steps": 30, "loras": None})   # None takes the key out

What was written is read back before it takes the place of the old file: where it would not say just that, nothing is written. Whether a
value makes sense is left to setting_values.py.
"""

from __future__ import annotations

import copy
import json
import os
import stat
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptlens.config import PROJECT_FILE, Settings, key_name, project_file
from promptlens.errors import ConfigError
from promptlens.setting_values import as_toml
from promptlens.writing import write_atomically

PYPROJECT = "pyproject.toml"
# Keys whose values are files and folders: what lies below the settings file is written relative to it.
PATHS = ("t5_tokenizer", "loras", "wildcards", "installs", "options.embeddings")


class SettingsChangedError(ConfigError):
    """A settings file is not what it was when it was read."""


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A settings file and its bytes as they were read; None where there is none yet."""

    path: Path
    content: bytes | None


def target_of(settings: Settings, opened: Path | None) -> Path:
    """Where settings are written: the nearest file upwards of the opened one, else of the working directory, else a new one in that.

    `--config FILE` names the file itself. Raises `ConfigError` where a file on the way cannot be read.
    """
    if settings.only and settings.files:
        return Path(settings.files[0]).absolute()
    folders = [Path.cwd()] if opened is None else [opened.absolute().parent, Path.cwd()]
    return next(filter(None, map(project_file, folders)), Path.cwd() / PROJECT_FILE)


def read_settings_file(path: Path) -> SettingsFile:
    """The file as it is now. Raises `ConfigError`."""
    try:
        return SettingsFile(path, path.read_bytes())
    except FileNotFoundError:
        return SettingsFile(path, None)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}.") from None


def write_settings(read: SettingsFile, changes: Mapping[str, Any], *, anyway: bool = False) -> SettingsFile:
    """Write changes into the file as it is now, and give it as it is then.

    Raises `SettingsChangedError` where it is not what was read, unless `anyway`, and `ConfigError` where it cannot be written.
    """
    path = read.path
    now = read_settings_file(path)
    if now.content != read.content and not anyway:
        gone = "is gone" if now.content is None else "was changed by another program"
        raise SettingsChangedError(f"{path} {gone} since its settings were read.")
    content = edited(now.content or b"", {name: _as_written(name, value, path) for name, value in changes.items()}, path)
    if content == now.content:
        return now
    try:
        if now.content is not None and not os.stat(path).st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigError(f"{path}: is read-only. Make it writable (chmod u+w), then save again.")
        write_atomically(path, content)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}.") from None
    return SettingsFile(path, content)


def edited(content: bytes, changes: Mapping[str, Any], path: Path) -> bytes:
    """The bytes of a settings file with other values for some keys ("host", "options.steps"); None takes a key out.

    Raises `ConfigError` where the file is not TOML, or is written so that it cannot be changed without touching more.
    """
    mark, bare = (BOM_UTF8, content.removeprefix(BOM_UTF8)) if content.startswith(BOM_UTF8) else (b"", content)
    text = _decoded(bare, path)
    crlf = "\r\n" in text and "\n" not in text.replace("\r\n", "")  # each line ends so: new ones do too
    if crlf:
        text = text.replace("\r\n", "\n")
    where = ("tool", "promptlens") if path.name == PYPROJECT else ()
    for name, value in changes.items():
        text = _edited(text, where, name, value, path)
    try:
        return mark + (text.replace("\n", "\r\n") if crlf else text).encode()
    except UnicodeEncodeError as error:  # half a surrogate pair, out of the name of a folder
        odd = ascii(error.object[error.start])[1:-1]
        raise ConfigError(f"{path}: cannot hold the character {odd}, which is in one of the values; nothing was written.") from None


def _decoded(content: bytes, path: Path) -> str:
    try:
        text = content.decode()
        _parsed(text)
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply. Mend that first; nothing was written.") from None
    except ValueError as error:  # of TOML and of UTF-8 alike
        raise ConfigError(f"{path}: is not TOML: {error}. Mend that first; nothing was written.") from None
    return text


def _parsed(text: str) -> dict[str, Any]:
    import tomllib  # 6 ms: only where a file is written

    return tomllib.loads(text)


def _edited(text: str, where: tuple[str, ...], name: str, value: Any, path: Path) -> str:
    """The text with another value for one key, read back."""
    before = _parsed(text)
    table, _, key = name.rpartition(".")
    tables = (*where, _spelling(before, where, table)) if table else where
    key = _spelling(before, tables, key)
    wanted = _with(before, (*tables, key), value)
    if _same(before, wanted):
        return text
    for change in (_replaced, _left_to_tomlkit):
        try:
            made = change(text, tables, key, value)
            if _same(_parsed(made), wanted):
                return made
        except (ValueError, LookupError, TypeError, AttributeError):  # what is made of a file that cannot be followed
            continue
    said = f"{'.'.join((*tables, key))} = {as_toml(value)}" if value is not None else f"no {'.'.join((*tables, key))}"
    raise ConfigError(f"{path}: is written in a way that cannot be changed here; write it yourself: {said}")


def _spelling(content: Mapping[str, Any], tables: tuple[str, ...], name: str) -> str:
    """A key as the file spells it, with "-" or "_", or as a new one is written."""
    table: Any = content
    for part in tables:
        table = table.get(part, {}) if isinstance(table, Mapping) else {}
    own = tables[-1:] == ("options",)
    plain = name.replace("-", "_")
    known = next((k for k in table if k.replace("-", "_") == plain and (not own or k == name)), None)
    return known if known is not None else name if own else key_name(name)


def _with(content: dict[str, Any], keys: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of what a file says with another value for a key."""
    made = copy.deepcopy(content)
    table = made
    for part in keys[:-1]:
        if value is None and part not in table:
            return made
        table = table.setdefault(part, {})
    if value is None:
        table.pop(keys[-1], None)
    else:
        table[keys[-1]] = value
    return made


def _same(one: Any, other: Any) -> bool:
    """Whether both say the same, nan too."""
    first, second = (json.dumps(side, sort_keys=True, default=repr) for side in (one, other))
    return first == second


def _replaced(text: str, tables: tuple[str, ...], key: str, value: Any) -> str:
    """The text with the key's value in place of the old one, behind the last key of its table, or in a new table at the end."""
    import tomlkit  # 70 ms: only where a file is written

    document = tomlkit.parse(text)
    table: Any = document
    for part in tables:
        if part not in table:
            return _ended(text) + ("\n" if text.strip() else "") + f"[{'.'.join(tables)}]\n{_line(key, value)}"
        table = table[part]
    if value is None:
        del table[key]
    elif key in table:
        table[key] = value
    elif not tables and not _last_key(table):
        return _at_the_top(text, _line(key, value))
    else:
        _add(table, key, value)
    return tomlkit.dumps(document)


def _add(table: Any, key: str, value: Any) -> None:
    """Put a new key behind the last one, so that what follows, a comment on the next table too, stays with that."""
    last = _last_key(table)
    item = table.item(last) if last else table
    item.trivia.trail = _ended(item.trivia.trail or "\n") + f"{item.trivia.indent if last else ''}{_line(key, value)}"


def _last_key(table: Any) -> str:
    """The last key of a table that has a plain value, "" where there is none."""
    from tomlkit.items import AbstractTable, AoT

    return next((k for k in reversed(list(table)) if not isinstance(table[k], (AbstractTable, AoT))), "")


def _left_to_tomlkit(text: str, tables: tuple[str, ...], key: str, value: Any) -> str:
    """The text as tomlkit changes it: it knows inline tables and dotted keys."""
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for part in tables:
        if part not in table:
            table[part] = {}
        table = table[part]
    table[key] = value
    return tomlkit.dumps(document)


def _at_the_top(text: str, line: str) -> str:
    """A first key in front of all tables: behind the comment on the whole file, where there is one."""
    lines = text.splitlines(keepends=True)
    count = next((n for n, said in enumerate(lines) if not said.startswith("#")), len(lines))
    if count == len(lines):
        return _ended(text) + line
    if lines[count].strip():  # the comment is on the first table
        return f"{line}\n{text}"
    return "".join((*lines[:count], line, *lines[count:]))


def _line(key: str, value: Any) -> str:
    import tomlkit

    return tomlkit.dumps({key: value})


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _as_written(name: str, value: Any, path: Path) -> Any:
    """A value as TOML has it; paths below the settings file relative to that."""
    if name in PATHS and isinstance(value, (str, tuple, list)):
        paths = [_near(item, path) for item in ([value] if isinstance(value, str) else value)]
        return paths[0] if isinstance(value, str) else paths
    if isinstance(value, tuple):
        return [list(item) if isinstance(item, tuple) else item for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def _near(item: str, path: Path) -> str:
    folder = os.path.realpath(path.parent)
    whole = os.path.realpath(item) if item else ""
    below = whole.startswith(folder.rstrip(os.sep) + os.sep)
    return Path(os.path.relpath(whole, folder)).as_posix() if below else item
