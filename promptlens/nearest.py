"""The settings of each prompt file: those of the nearest settings file upwards from it.

Where none lies above a file, the settings of the working directory hold; so they do for every file where the command line names the
settings (`Settings.only`). What the command line says wins everywhere. Each settings file is read once; values for some of the files below
it (`per_path`) are left to `Settings.for_path`.
"""

from __future__ import annotations

import os
from pathlib import Path

from promptlens.config import Settings, load_settings, settings_file_in
from promptlens.errors import PromptLensError


class Nearest:
    """The settings that were found so far, by folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._found: dict[str, Settings | PromptLensError] = {}

    def of(self, folder: str) -> Settings:
        """What holds in a folder. Raises what is wrong with its settings, each time it is asked for."""
        if self.settings.only:
            return self.settings
        known = self._found.get(folder)
        if known is None:
            known = self._found[folder] = self._look(os.path.abspath(folder))
        if isinstance(known, PromptLensError):
            raise known
        return known

    def of_file(self, path: str) -> Settings:
        """What holds for a file. Raises what is wrong with its settings."""
        return self.of(os.path.dirname(path)).for_path(path)

    def _look(self, folder: str) -> Settings | PromptLensError:
        try:
            file = settings_file_in(Path(folder))
            if file is not None:
                return self._load(file)
            parent = os.path.dirname(folder)
            return self.of(parent) if parent != folder else self.settings
        except PromptLensError as error:
            return error

    def _load(self, file: Path) -> Settings:
        if str(file) in self.settings.files:
            return self.settings
        return load_settings(folder=file.parent).with_command_line_of(self.settings).with_host_of_model()
