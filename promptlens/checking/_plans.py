"""What holds for each file and folder, out of the settings and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptlens.checking._discovery import DEFAULT_EXCLUDE, Level, Walk
from promptlens.checking._entries import Plan
from promptlens.config import Settings
from promptlens.job import Job, make_job
from promptlens.sources import FORMATS, ReadSettings


class Plans:
    """Plans for files and walks for folders. `asked` is what the command line says."""

    def __init__(self, settings: Settings, asked: Mapping[str, Any]) -> None:
        self.settings = settings
        self.asked = asked
        self.job: Job = make_job(settings)
        if asked["as_format"]:
            FORMATS[asked["as_format"]]  # tells who mistypes it

    def plan(self, path: str) -> Plan:
        """What holds for a file."""
        return Plan(self.job, ReadSettings(), self.asked["as_format"], any_host="host" not in self.settings.origins)

    def walk(self, folder: str) -> Walk:
        """What is left out in a folder."""
        patterns: tuple[Level, ...] = (("", tuple(self.asked["exclude"]) or DEFAULT_EXCLUDE), ("", tuple(self.asked["extend_exclude"])))
        respect = self.asked["respect_gitignore"] is not False
        return Walk(patterns, respect_gitignore=respect, force_exclude=self.asked["force_exclude"])
