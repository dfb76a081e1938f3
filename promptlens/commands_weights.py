"""Which weights a command takes: what its flags say, then what settings say, then what is found on the machine.

    --encoder-path PATH, NAME=PATH   files or folders; then `encoder-paths` of the settings
    --root FOLDER                    installs of A1111, Forge, ComfyUI or InvokeAI; then `installs` of the settings

The order of all places is that of encoder/finding.py. Nothing is loaded here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import with_options
from promptlens.errors import WeightsError
from promptlens.models import ENCODERS

if TYPE_CHECKING:
    from promptlens.config import Settings
    from promptlens.encoder.cached import CachedEncoder
    from promptlens.encoder.files import FoundWeights

PATHS_AND_ROOTS = with_options(
    click.option("--encoder-path", "paths", multiple=True, metavar="PATH", help="Weights, or NAME=PATH for one encoder; may be repeated."),
    click.option(
        "--root", "roots", multiple=True, metavar="FOLDER", help="Folder of an A1111, Forge, ComfyUI or InvokeAI install; may be repeated."
    ),
)
SETTINGS_FILES = with_options(
    click.option("--config", metavar="FILE", help="Take settings from this file alone."),
    click.option("--isolated", is_flag=True, help="Take no settings from files."),
)
ALLOW_PICKLE = click.option("--allow-pickle", is_flag=True, help="Also read .ckpt and .pt files, by torch's safe reader.")


@dataclass(frozen=True, slots=True)
class Weights:
    """Where to look: `paths` in the form "PATH" or "NAME=PATH", and folders of installs. `origin`: the settings file of the paths from
    the `own`-th on."""

    paths: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    allow_pickle: bool = False
    own: int = 0
    origin: str = ""

    def plain_paths(self, name: str | None = None) -> list[str]:
        """The paths for one encoder, the command line's first, of each those named for it first; without a name, all."""
        found = []
        for group in (self.paths[: self.own], self.paths[self.own :]):
            split = [_named(text) for text in group]
            found += [path for n, path in split if n and name in (None, n)] + [path for n, path in split if not n]
        return found

    def choose(self, name: str) -> FoundWeights:
        """The weights of one encoder. Raises `WeightsError`; what is wrong with a path out of a settings file names that."""
        from promptlens.encoder.finding import choose_encoder

        try:
            return choose_encoder(name, paths=self.plain_paths(name), roots=self.roots)
        except WeightsError as error:
            path = next((p for p in map(_path, self.paths[self.own :]) if str(error).startswith(p)), None)
            if path is None or path in map(_path, self.paths[: self.own]):
                raise
            raise WeightsError(f"{self.origin}: encoder-paths: {error}") from None

    def real_encoders(self, model: str) -> dict[str, CachedEncoder]:
        """The text encoders of a model that are run, not loaded yet. Raises `WeightsError` with the way out where there are none."""
        needs_numpy_and_torch()
        from promptlens.influences import run_encoders  # numpy

        chosen = {name: self.choose(name) for name in run_encoders(model)}
        from promptlens.encoder.cached import cached_encoder

        return {name: cached_encoder(found, name, allow_pickle=self.allow_pickle) for name, found in chosen.items()}


def asked_weights(asked: Mapping[str, Any], settings: Settings) -> Weights:
    """What the flags say, and then the settings. Raises `WeightsError` for a root that is no folder."""
    for root in asked["roots"]:
        if not Path(root).expanduser().is_dir():
            raise WeightsError(f"--root {root} is not a folder. Name the one that A1111, Forge, ComfyUI or InvokeAI was installed into.")
    return Weights(
        paths=(*asked["paths"], *settings.encoder_paths),
        roots=(*asked["roots"], *settings.installs),
        allow_pickle=asked.get("allow_pickle", False),
        own=len(asked["paths"]),
        origin=settings.origins.get("encoder_paths", ""),
    )


def settings_of_files(asked: Mapping[str, Any]) -> Settings:
    """The settings files, for commands without a host and a model."""
    from promptlens.config import load_settings

    if asked["config"] and asked["isolated"]:
        raise click.UsageError("--config and --isolated exclude each other.", click.get_current_context())
    return load_settings(file=Path(asked["config"]) if asked["config"] else None, isolated=asked["isolated"])


def needs_numpy_and_torch() -> None:
    """Raise `WeightsError` with the way out where the extra is missing; nothing is imported."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("numpy", "torch", "safetensors")):
        raise WeightsError("Influence needs numpy, torch and safetensors. Install them with: pip install 'promptlens[encoder]'")


def _named(text: str) -> tuple[str, str]:
    """An encoder's name ("" for any) and a path."""
    name, equals, path = text.partition("=")
    named = bool(equals) and name in ENCODERS
    return (name if named else "", str(Path(path if named else text).expanduser()))


def _path(text: str) -> str:
    return _named(text)[1]
