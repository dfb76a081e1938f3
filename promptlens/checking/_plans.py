"""What holds for each file and folder, out of the settings and the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from promptlens.checking._discovery import DEFAULT_EXCLUDE, Level, Walk
from promptlens.checking._entries import Plan
from promptlens.checking._names import SharedNames
from promptlens.config import Settings
from promptlens.job import Job, make_job
from promptlens.nearest import Nearest
from promptlens.progress import BAR
from promptlens.sources import FORMATS, ReadSettings


class Plans:
    """Plans for files and walks for folders. `asked` is what the command line says."""

    def __init__(self, settings: Settings, asked: Mapping[str, Any]) -> None:
        self.settings = settings
        self.nearest = Nearest(settings)
        self.asked = asked
        self.names = SharedNames()
        self.job: Job = make_job(settings)
        self._jobs: list[tuple[Settings, Job]] = []
        self._plans: dict[int, Plan] = {}  # by the settings of a folder, which are kept by `nearest`
        if asked["as_format"]:
            FORMATS[asked["as_format"]]  # tells who mistypes it

    def plan(self, path: str) -> Plan:
        """What holds for a file. Raises what is wrong with its settings."""
        of_folder = self.nearest.of(os.path.dirname(path))
        known = self._plans.get(id(of_folder))
        if known is not None:
            return known
        settings = of_folder.for_path(path)
        plan = self._plan(settings)
        if not of_folder.per_path:
            self._plans[id(of_folder)] = plan
        return plan

    def _plan(self, settings: Settings) -> Plan:
        read = ReadSettings(settings.unit, settings.keys, settings.every_line, settings.max_file_size, BAR)  # type: ignore[arg-type]
        name = self.asked["as_format"] or settings.format or None
        role: Any = settings.role or None
        return Plan(
            self._job(settings),
            read,
            name,
            role,
            any_host="host" not in settings.origins,
            counts_fixes=self.asked.get("count_fixes", False),
            names=self.names,
        )

    def _job(self, settings: Settings) -> Job:
        """The job of settings; those of most files are the same."""
        if settings is self.settings:
            return self.job
        known = next((job for other, job in self._jobs if other == settings), None)
        if known is None:
            known = make_job(settings if settings.host == self.settings.host else _of_other_host(settings))
            self._jobs.append((settings, known))
        return known

    def walk(self, folder: str) -> Walk:
        """What is left out in a folder. Raises what is wrong with its settings."""
        settings, asked = self.nearest.of(folder), self.asked
        self._job(settings)  # what is wrong with it is wrong for all of the folder, and said once
        exclude = _level(settings, "exclude", tuple(asked["exclude"])) or ("", DEFAULT_EXCLUDE)
        more = [("", tuple(asked["extend_exclude"])), _level(settings, "extend_exclude", ()) or ("", ())]
        respect = settings.respect_gitignore if asked["respect_gitignore"] is None else asked["respect_gitignore"]
        included = tuple((table.base, (table.pattern,)) for table in settings.per_path if "format" in table.values)
        force = asked["force_exclude"] or settings.force_exclude
        return Walk((exclude, *more), included, respect_gitignore=respect, force_exclude=force)


def _of_other_host(settings: Settings) -> Settings:
    """Settings of files that another host reads: options of the command line hold as far as that has them."""
    return replace(settings, origins={key: "" if key.startswith("options.") else origin for key, origin in settings.origins.items()})


def _level(settings: Settings, name: str, asked: tuple[str, ...]) -> Level | None:
    """Patterns of the command line, or of the settings with the folder that they are below; None for none."""
    if asked:
        return "", asked
    patterns: tuple[str, ...] = getattr(settings, name)
    return (str(Path(settings.origins[name]).parent.resolve()), patterns) if patterns else None
