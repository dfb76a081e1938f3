"""The settings of a running terminal UI: what files and the command line say, and what was changed since it started.

    session = session.changed("options.steps", 30)      # "host", "clip_skip", "options.steps", "limits.max_chunks"
    job = session.job_after("options.steps", job)

Nothing is written here: settings_file.py does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from promptlens.config import COMMAND_LINE, TABLES, Settings, load_settings
from promptlens.hosts import HOSTS
from promptlens.job import Job, make_job
from promptlens.nearest import Nearest

SESSION = "this session"
DEFAULT = "default"
# What a job simply has in it; all else is read from folders, or makes rules.
PLAIN = ("host", "model", "clip_skip")


@dataclass(frozen=True, slots=True)
class Session:
    """`loaded` as files and the command line say it, and `changes` by key."""

    loaded: Settings
    changes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_job(cls, job: Job) -> Session:
        """A session that no settings were read for: the job was said on the command line."""
        origins = dict.fromkeys(("host", "model", *(f"options.{name}" for name in job.usual)), COMMAND_LINE)
        return cls(Settings(host=job.host, model=job.model, clip_skip=job.clip_skip, options=dict(job.usual), origins=origins))

    @property
    def current(self) -> Settings:
        """What holds now."""
        settings = self.loaded
        for name, value in self.changes.items():
            table, _, key = name.rpartition(".")
            if not table:
                settings = settings.with_value(name, value, SESSION)
            elif value is None:
                left: dict[str, Any] = {table: {k: v for k, v in getattr(settings, table).items() if k != key}}
                settings = replace(settings, **left, origins={**settings.origins, name: SESSION})
            else:
                settings = settings.with_value(table, {key: value}, SESSION)
        return settings

    def changed(self, name: str, value: Any) -> Session:
        """With another value; where that is what was loaded, with no change of it."""
        changes = {key: old for key, old in self.changes.items() if key != name}
        if value != said(self.loaded, name, self.changes.get("host", self.loaded.host)):
            changes[name] = value
        return replace(self, changes=changes)

    def taken_back(self, name: str) -> Session:
        """Without a change."""
        return replace(self, changes={key: value for key, value in self.changes.items() if key != name})

    def with_job(self, job: Job) -> Session:
        """With the host and the model that were switched to on the main screen."""
        return self.changed("host", job.host).changed("model", job.model)

    def value(self, name: str) -> Any:
        """What holds now for a key."""
        return said(self.current, name, self.current.host)

    def source(self, name: str) -> str:
        """Where it comes from: "default", "command line", "this session" or the path of a file."""
        return SESSION if name in self.changes else self.loaded.origins.get(name, DEFAULT)

    def reloaded(self, loaded: Settings) -> Session:
        """With settings that were read anew: what was changed here stays, all else is as they say."""
        session = Session(loaded)
        for name in sorted(self.changes, key=lambda key: key != "host"):  # which says what the defaults of options are
            session = session.changed(name, self.changes[name])
        return session

    def job(self) -> Job:
        """What prompts are analysed with. Raises a child of `PromptLensError`."""
        return as_usual(make_job(self.current))

    def job_after(self, name: str, job: Job) -> Job:
        """The job after one change: only where folders are to be read or rules to be made is it made anew."""
        if name in PLAIN:
            return replace(job, **{name: self.value(name)})
        if not name.startswith("options.") or name == "options.embeddings":
            made = self.job()
            return replace(made, host=job.host, model=job.model)
        option, current = name.partition(".")[2], self.current.options
        others = {key: value for key, value in job.usual.items() if key != option}
        return replace(job, usual={**others, option: current[option]} if option in current else others)


def said(settings: Settings, name: str, host: str) -> Any:
    """What settings say for a key; of a host's option that they do not name, its default."""
    table, _, key = name.rpartition(".")
    if not table:
        return getattr(settings, name)
    assert table in TABLES
    values: Mapping[str, Any] = getattr(settings, table)
    if key in values or table != "options":
        return values.get(key)
    option = next((f for f in fields(HOSTS[host].options) if f.name == key), None)
    return None if option is None or not isinstance(option.default, (str, int, float, bool)) else option.default


def as_usual(job: Job) -> Job:
    """The job with all its options as ones that hold where a host has them: another host may not have one that was chosen for this."""
    return replace(job, chosen={}, usual={**job.usual, **job.chosen})


def load_anew(start: Settings, opened: Path | None) -> Settings:
    """The settings of the file that is open, as files say them now, with what the command line said at the start. Raises what is wrong."""
    if start.only:
        loaded = load_settings(file=Path(start.files[0])) if start.files else Settings(only=True)
        loaded = loaded if opened is None else loaded.for_path(str(opened))
    else:
        loaded = load_settings()
        loaded = loaded if opened is None else Nearest(loaded).of_file(str(opened))
    return loaded.with_command_line_of(start).with_host_of_model()
