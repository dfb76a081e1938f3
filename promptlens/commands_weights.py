"""Which weights a command takes: what its flags say, then what settings say, then what is found on the machine.

    --encoder-path PATH, NAME=PATH   files or folders; then `encoder-paths` of the settings
    --root FOLDER                    installs of A1111, Forge, ComfyUI or InvokeAI; then `installs` of the settings

What becomes of them is in weights.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import with_options
from promptlens.errors import WeightsError
from promptlens.home import with_home

if TYPE_CHECKING:
    from promptlens.config import Settings
    from promptlens.weights import Weights

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


def asked_weights(asked: Mapping[str, Any], settings: Settings) -> Weights:
    """What the flags say, and then the settings. Raises `WeightsError` for a root that is no folder."""
    from promptlens.models import ENCODERS
    from promptlens.weights import Weights  # 4 ms, of which `check` needs nothing

    if any(not path.removeprefix(f"{name}=") for path in asked["paths"] for name in ("", *ENCODERS)):
        raise WeightsError("--encoder-path is empty. Name a file or folder with text-encoder weights, or leave it out.")
    for root in asked["roots"]:
        if not with_home(root, "--root").is_dir():
            raise WeightsError(f"--root {root} is not a folder. Name the one that A1111, Forge, ComfyUI or InvokeAI was installed into.")
    if settings.installs:
        from promptlens.known_names import check_install

        for root in settings.installs:
            check_install(root)
    return Weights(
        paths=(*asked["paths"], *settings.encoder_paths),
        roots=(*asked["roots"], *settings.installs),
        allow_pickle=asked.get("allow_pickle", False),
        own=len(asked["paths"]),
        origin=settings.origins.get("encoder_paths", ""),
        precision=(asked["precision"] or settings.precision) if "precision" in asked else "fp32",  # where the result can say so
    )


def settings_of_files(asked: Mapping[str, Any]) -> Settings:
    """The settings files, for commands without a host and a model."""
    from promptlens.config import load_settings

    if asked["config"] and asked["isolated"]:
        raise click.UsageError("--config and --isolated exclude each other.", click.get_current_context())
    return load_settings(file=Path(asked["config"]) if asked["config"] else None, isolated=asked["isolated"])
