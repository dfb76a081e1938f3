"""Settings files: `promptlens.toml`, or `[tool.promptlens]` in a `pyproject.toml`, and the user's own.

The project's file is the nearest one upwards from a folder; the user's is `config.toml` in the folder that platformdirs names. A key of the
project's file wins over the user's. A new setting is one row of `Settings`. Which file holds for which prompt file is left to nearest.py,
what the command line says to cli.py, and whether a host has an option to job.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from promptlens.analysis import DEFAULT_HOST, DEFAULT_MODEL
from promptlens.errors import ConfigError
from promptlens.models import get_model
from promptlens.setting_values import PathSettings, as_toml, checked_table
from promptlens.terminal import ColorChoice

PROJECT_FILE = "promptlens.toml"
USER_FILE = "config.toml"
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Settings:
    """What may stand in a settings file; each row is a key.

    `origins` says where each value that is no default came from, `files` which files were read. `only` is True where these settings hold
    for every file, whatever settings lie nearer to it (--config, --isolated).

    clip_skip           the layer of the text encoders that the model gets, counted from the end (None: the host's own)
    t5_tokenizer        the tokenizer.json of models with T5 in them
    encoder_paths       files and folders with weights of text encoders, "PATH" or "NAME=PATH"
    installs            folders of ComfyUI, Forge and others, where both are looked for
    precision           what text encoders compute with for influence and similarity: fp32 or bf16
    options             settings of hosts, by the host's own names
    select, ignore, extend_select   which rules run, by codes or their beginnings; the longer one wins
    limits              what the rules measure by (RuleSettings): max_tokens, max_chunks, near_limit ...
    loras, wildcards    folders with what prompts may name (TB305, TB106)
    exclude, extend_exclude, force_exclude, respect_gitignore   which files are left out
    unit, every_line, keys          what is a prompt in a file (sources.ReadSettings)
    max_file_size       bytes of the largest file that is read whole; the default is that of sources
    role, format        of the files of a `per_path` table; they stand only there
    baseline            the list of older findings that are not reported
    max_warnings        the most warnings that a run may have without exit code 1 (None: any number)
    jobs                processes that check large runs together (None: as many as there are cores)
    tui_keys            other keys for the terminal UI, by the ids of its bindings
    per_path            other values for files that match a pattern, relative to the settings file
    """

    host: str = DEFAULT_HOST
    model: str = DEFAULT_MODEL
    color: ColorChoice = "auto"
    clip_skip: int | None = None
    t5_tokenizer: str = ""
    encoder_paths: tuple[str, ...] = ()
    installs: tuple[str, ...] = ()
    precision: str = "fp32"
    options: Mapping[str, Any] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    loras: str = ""
    wildcards: str = ""
    exclude: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    unit: str = "line"
    every_line: bool = False
    keys: tuple[tuple[str, str], ...] = ()
    max_file_size: int = 64 * 1024 * 1024
    role: str = ""
    format: str = ""
    baseline: str = ""
    max_warnings: int | None = None
    jobs: int | None = None
    tui_keys: Mapping[str, str] = field(default_factory=dict)
    per_path: tuple[PathSettings, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    only: bool = False

    def with_value(self, name: str, value: Any, origin: str) -> Settings:
        """A copy with one value more; `options` and `limits` are added to those that are there."""
        if name not in TABLES:
            return replace(self, **{name: value}, origins={**self.origins, name: origin})
        marks = {f"{name}.{key}": origin for key in value}
        merged: dict[str, Any] = {name: {**getattr(self, name), **value}}
        return replace(self, **merged, origins={**self.origins, **marks})

    def for_path(self, path: str) -> Settings:
        """What holds for a file: with the values of each `per_path` table whose pattern matches, but for what the command line says.

        Rules to ignore, and to select besides, are added to the others; anything else is replaced.
        """
        settings = self
        for table in self.per_path:
            if not table.matches(path):
                continue
            for name, value in table.values.items():
                if name in ("ignore", "extend_select"):
                    settings = settings.with_value(name, (*getattr(settings, name), *value), table.origin)
                elif name in TABLES:
                    left = {key: item for key, item in value.items() if settings.origins.get(f"{name}.{key}") != COMMAND_LINE}
                    settings = settings.with_value(name, left, table.origin)
                elif settings.origins.get(name) != COMMAND_LINE:
                    settings = settings.with_value(name, value, table.origin)
        return settings

    def with_command_line_of(self, other: Settings) -> Settings:
        """These settings with what the command line said to others."""
        settings = self
        for name in KEYS:
            value = getattr(other, name)
            if name in TABLES:
                said = {key: item for key, item in value.items() if other.origins.get(f"{name}.{key}") == COMMAND_LINE}
                settings = settings.with_value(name, said, COMMAND_LINE)
            elif other.origins.get(name) == COMMAND_LINE:
                settings = settings.with_value(name, value, COMMAND_LINE)
        return settings

    def with_host_of_model(self) -> Settings:
        """These settings with the host that the model runs in, where nobody chose one."""
        return self if "host" in self.origins else replace(self, host=get_model(self.model).default_host)

    def shown(self) -> str:
        """The settings as a settings file would say them, each with where it comes from."""
        values = {name: getattr(self, name) for name in KEYS if name not in (*TABLES, "per_path")} | {"keys": dict(self.keys)}
        values = {name: value for name, value in values.items() if value is not None and (value or name not in ONLY_PER_PATH)}
        text = "".join(f"{key_name(name)} = {as_toml(value)}  # {self.origins.get(name, 'default')}\n" for name, value in values.items())
        for table in TABLES:
            own: Mapping[str, Any] = getattr(self, table)
            inside = "".join(f"{name} = {as_toml(value)}  # {self.origins[f'{table}.{name}']}\n" for name, value in own.items())
            text += f"\n[{table}]\n{inside}" if inside else ""
        for path in self.per_path:
            held = {name: dict(value) if name == "keys" else value for name, value in path.values.items()}
            inside = "".join(f"{key_name(name)} = {as_toml(value)}\n" for name, value in held.items())
            text += f"\n[per-path.{as_toml(path.pattern)}]  # {path.origin}\n{inside}"
        return text


TABLES = ("options", "limits")
ONLY_PER_PATH = ("role", "format")
KEYS = tuple(f.name for f in fields(Settings) if f.name not in ("origins", "files", "only"))


def key_name(name: str) -> str:
    """A setting as it is shown; files may write "-" or "_"."""
    return name if name == "t5_tokenizer" else name.replace("_", "-")


def load_settings(*, file: Path | None = None, isolated: bool = False, folder: Path | None = None) -> Settings:
    """The settings that hold in a folder (None: the working directory).

    They are those of `file` alone, none at all if `isolated`, or the user's and then the project's. Raises `ConfigError` or
    `UnknownNameError`, naming the file.
    """
    if isolated:
        return Settings(only=True)
    paths = [file] if file else list(_found_files(folder or Path.cwd()))
    settings = Settings(files=tuple(map(str, paths)), only=file is not None)
    for path in paths:
        for name, value in _read(path).items():
            settings = settings.with_value(name, value, str(path))
    return settings


def _found_files(here: Path) -> Iterator[Path]:
    """The user's file and the project's, as far as they exist."""
    user = user_folder() / USER_FILE
    if user.is_file():
        yield user
    project = project_file(here)
    if project is not None:
        yield project


def project_file(folder: Path) -> Path | None:
    """The nearest settings file of a project upwards from a folder, None where there is none."""
    return next(filter(None, map(settings_file_in, (folder, *folder.parents))), None)


def settings_file_in(folder: Path) -> Path | None:
    """The settings file of a project that lies in a folder itself, None where there is none."""
    for name in (PROJECT_FILE, "pyproject.toml"):
        path = folder / name
        if os.path.isfile(path) and (name == PROJECT_FILE or _table_of(path) is not None):
            return path
    return None


def user_folder() -> Path:
    """Where the user's settings live, as platformdirs says."""
    if sys.platform == "linux":  # the XDG rule, which spares every start the 5 ms of importing platformdirs
        home = os.environ.get("XDG_CONFIG_HOME", "").strip()
        return Path(home if os.path.isabs(home) else os.path.expanduser("~/.config"), "promptlens")
    from platformdirs import user_config_path

    return user_config_path("promptlens", appauthor=False)


def _read(path: Path) -> dict[str, Any]:
    """The checked settings of one file."""
    table = _table_of(path)
    if table is None:
        raise ConfigError(f"{path}: has no [tool.promptlens] table.")
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.promptlens must be a table, not {table!r}.")
    return checked_table(table, [name for name in KEYS if name not in ONLY_PER_PATH], path)


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
        table = tomllib.loads(content.decode("utf-8-sig"))  # a file may begin with a byte order mark
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not TOML: it is not UTF-8 text.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}.") from None
    if not in_pyproject:
        return table
    tools = table.get("tool")
    return tools.get("promptlens") if isinstance(tools, dict) else None
