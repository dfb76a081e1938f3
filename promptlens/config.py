"""Settings files: `promptlens.toml`, or `[tool.promptlens]` in a `pyproject.toml`, and the user's own.

The project's file is the nearest one upwards from the working directory; the user's is `config.toml` in the folder that platformdirs
names. A key of the project's file wins over the user's. A new setting is one row of `Settings`. What the command line says is left to
cli.py, and whether a host has an option to job.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from promptlens.analysis import DEFAULT_HOST, DEFAULT_MODEL
from promptlens.errors import ConfigError, PromptLensError, UnknownNameError
from promptlens.hosts import HOSTS
from promptlens.models import get_model
from promptlens.terminal import ColorChoice

PROJECT_FILE = "promptlens.toml"
USER_FILE = "config.toml"
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Settings:
    """What may stand in a settings file; each row is a key. `origins` says where each value that is no default came from.

    `t5_tokenizer` is the tokenizer.json of models with T5 in them, `installs` are folders of ComfyUI, Forge and others, where it is
    looked for.
    """

    host: str = DEFAULT_HOST
    model: str = DEFAULT_MODEL
    color: ColorChoice = "auto"
    t5_tokenizer: str = ""
    installs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def with_value(self, name: str, value: Any, origin: str) -> Settings:
        """A copy with one value more; `options` are added to those that are there."""
        if name != "options":
            return replace(self, **{name: value}, origins={**self.origins, name: origin})
        marks = {f"options.{key}": origin for key in value}
        return replace(self, options={**self.options, **value}, origins={**self.origins, **marks})

    def shown(self) -> str:
        """The settings as a settings file would say them, each with where it comes from."""
        rows = [(name, getattr(self, name), name) for name in KEYS if name != "options"]
        text = "".join(f"{name} = {_toml(value)}  # {self.origins.get(key, 'default')}\n" for name, value, key in rows)
        options = "".join(f"{name} = {_toml(value)}  # {self.origins[f'options.{name}']}\n" for name, value in self.options.items())
        return text + (f"\n[options]\n{options}" if options else "")


def _toml(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, (int, float)):
        return str(value)
    import json  # TOML's strings are JSON's

    return json.dumps(str(value))


KEYS = tuple(f.name for f in fields(Settings) if f.name != "origins")


def load_settings(*, file: Path | None = None, isolated: bool = False) -> Settings:
    """The settings that hold here: those of `file` alone, none at all if `isolated`, or the user's and then the project's.

    Raises `ConfigError` or `UnknownNameError`, naming the file.
    """
    settings = Settings()
    if isolated:
        return settings
    for path in [file] if file else _found_files():
        for name, value in _read(path, required=file is not None).items():
            settings = settings.with_value(name, value, str(path))
    return settings


def _found_files() -> Iterator[Path]:
    """The user's file and the project's, as far as they exist."""
    user = user_folder() / USER_FILE
    if user.is_file():
        yield user
    here = Path.cwd()
    for folder in (here, *here.parents):
        for name in (PROJECT_FILE, "pyproject.toml"):
            path = folder / name
            if os.path.isfile(path) and (name == PROJECT_FILE or _table_of(path) is not None):
                yield path
                return


def user_folder() -> Path:
    """Where the user's settings live, as platformdirs says."""
    if sys.platform == "linux":  # the XDG rule, which spares every start the 5 ms of importing platformdirs
        home = os.environ.get("XDG_CONFIG_HOME", "").strip()
        return Path(home if os.path.isabs(home) else os.path.expanduser("~/.config"), "promptlens")
    from platformdirs import user_config_path

    return user_config_path("promptlens", appauthor=False)


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    """The checked settings of one file."""
    table = _table_of(path)
    if table is None:
        raise ConfigError(f"{path}: has no [tool.promptlens] table.")
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.promptlens must be a table, not {table!r}.")
    for name in table:
        if name not in KEYS:
            raise UnknownNameError("setting", name, KEYS, where=str(path))
    return {name: _checked(name, value, path) for name, value in table.items()}


def _table_of(path: Path) -> Any:
    """The settings table of a file; of a pyproject.toml its [tool.promptlens], None when it has none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}.") from None
    in_pyproject = path.name == "pyproject.toml"
    if in_pyproject and b"promptlens" not in content:
        return None
    import tomllib  # 6 ms: only where there is a file to read

    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}.") from None
    if not in_pyproject:
        return table
    tools = table.get("tool")
    return tools.get("promptlens") if isinstance(tools, dict) else None


def _checked(name: str, value: Any, path: Path) -> Any:
    """A value of a settings file that is of the type its row says and names what exists."""
    kind = get_type_hints(Settings)[name]
    try:
        if name == "options":
            return _checked_options(value, path)
        if name == "installs":
            return _checked_folders(value, path)
        if not isinstance(value, str):
            raise ConfigError(f"must be a string, not {value!r}.")
        if get_args(kind) and value not in get_args(kind):
            raise UnknownNameError("value", value, get_args(kind))
        if name == "host":
            HOSTS[value]
        if name == "model":
            get_model(value)
        if name == "t5_tokenizer" and value:
            return str(path.parent / Path(value).expanduser())
    except PromptLensError as error:
        raise ConfigError(f"{path}: {name}: {error}") from None
    return value


def _checked_folders(value: Any, path: Path) -> tuple[str, ...]:
    """A folder or a list of folders, relative to the settings file."""
    folders = [value] if isinstance(value, str) else value
    if not isinstance(folders, list) or not all(isinstance(folder, str) for folder in folders):
        raise ConfigError(f"must be a list of folders, not {value!r}.")
    return tuple(str(path.parent / Path(folder).expanduser()) for folder in folders)


def _checked_options(options: Any, path: Path) -> dict[str, Any]:
    """Host options: each must be known to some host. A folder is relative to the settings file."""
    if not isinstance(options, dict):
        raise ConfigError(f"must be a table, not {options!r}.")
    known = {name for host in HOSTS.built_in for name in HOSTS[host].options.__dataclass_fields__} if options else set()
    if not known.issuperset(options):  # hosts of other packages are looked for only then
        known |= {name for host in HOSTS.values() for name in host.options.__dataclass_fields__}
    for name in options:
        if name not in known:
            raise UnknownNameError("option", name, sorted(known))
    found = dict(options)
    if isinstance(found.get("embeddings"), str):
        found["embeddings"] = str(path.parent / Path(found["embeddings"]).expanduser())
    return found
