"""Choosing which weights the panes measure with, and which to fetch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptlens.encoder.catalog import BUILDS
from promptlens.encoder.preview import FILE as PREVIEW_FILE
from promptlens.encoder.preview import NAME as PREVIEW
from promptlens.encoder.windows import CancelledError
from promptlens.errors import InputError, PromptLensError
from promptlens.home import with_home
from promptlens.models import ENCODERS, MODELS
from promptlens.render._runs import Run
from promptlens.tui.encoding import Encoding, Message
from promptlens.tui.listing import Column, Entry
from promptlens.tui.value_dialog import ValueDialog

if TYPE_CHECKING:
    from promptlens.tui.screen import MainScreen

COLUMNS = (Column("encoder", 8), Column("size", 8, right=True), Column("precision", 11), Column("where", 0))
PULL_COLUMNS = (Column("encoder", 8), Column("size", 8, right=True), Column("", 0))
# What the picker gives for rows that are no weights.
AUTOMATIC, FILE = ("", "automatic"), ("", "file")


def choose_weights(main: MainScreen, encoding: Encoding) -> None:
    """Look for weights of the model in use, and let some be chosen."""

    async def look() -> None:
        try:
            found = await encoding.ask({"do": "weights", "roots": encoding.roots(main.job)})
        except CancelledError:
            return
        except PromptLensError as e:
            main.notify(str(e), severity="error", markup=False, timeout=10)
            return
        entries = weight_entries(main.job.model, found)
        for line in found["problems"]:
            main.notify(line, severity="warning", markup=False, timeout=10)
        main.app.pick(
            "Weights of the text encoders", COLUMNS, entries, lambda value: _chosen(main, encoding, value), current=_now(encoding)
        )

    main.run_worker(look(), group="weights", exclusive=True)


def run_encoders(model: str) -> list[str]:
    """Names of a model's encoders that are run here."""
    return [e.name for e in MODELS[model].encoders if e.name in BUILDS]


def weight_entries(model: str, found: Message) -> list[Entry]:
    """A row for each weights of an encoder that the model has, and for the ways beside them."""
    names = run_encoders(model)
    entries = [
        Entry((Run("best"), Run(""), Run(""), Run("what is found first, or else the preview")), AUTOMATIC),
        *(_weights_entry(w) for w in found["weights"] if w["encoder"] in names),
        Entry(
            (
                Run(PREVIEW),
                Run(f"{PREVIEW_FILE.stat().st_size / 1e6:,.0f} MB", "dim"),
                Run("int8", "dim"),
                Run("comes along: an approximation, not CLIP"),
            ),
            ("", PREVIEW),
        ),
        Entry((Run("file ..."), Run(""), Run(""), Run("name a file or a folder; a checkpoint will do")), FILE),
    ]
    return entries


def _weights_entry(weights: Message) -> Entry:
    size = Run(f"{weights['bytes'] / 1e6:,.0f} MB", "dim")
    where = f"{_short(weights['path'])} · {weights['source']}"
    return Entry((Run(weights["encoder"]), size, Run(weights["precision"], "dim"), Run(where)), (weights["encoder"], weights["path"]))


def _short(path: str) -> str:
    """A path by the name of its file and the folder it is in."""
    return "/".join(Path(path).parts[-2:])


def _now(encoding: Encoding) -> Any:
    if PREVIEW in encoding.chosen:
        return "", PREVIEW
    return tuple(encoding.chosen[0].partition("=")[::2]) if encoding.chosen else AUTOMATIC


def _chosen(main: MainScreen, encoding: Encoding, value: tuple[str, str]) -> None:
    name, path = value
    if value == FILE:

        def take(typed: str) -> str:
            path = typed.strip()
            why = _no_place(path)
            if path and not why:
                encoding.choose([path])
            return why

        about = "A file with weights of text encoders, such as a checkpoint, or a folder that has some."
        main.app.push_screen(ValueDialog("Weights: a file, or a folder", about, "", "a path, such as clip_l.safetensors", take))
    elif value == AUTOMATIC:
        encoding.choose([])
    elif not name:
        encoding.choose([path])
    else:
        others = [p for p in encoding.chosen if "=" in p and not p.startswith(f"{name}=")]
        encoding.choose([*others, f"{name}={path}"])


def _no_place(text: str) -> str:
    """Why a path cannot be looked at, "" for one that can: what is there is said where it is read."""
    try:
        with_home(text)
    except InputError as error:
        return str(error)
    return ""


def choose_pull(main: MainScreen, encoding: Encoding) -> None:
    """Let weights be chosen that are fetched."""
    names = run_encoders(main.job.model)
    if not names:
        main.notify(f"{MODELS[main.job.model].title} has no text encoder that is run here.")
        return
    entries = [Entry((Run(n), Run(f"{BUILDS[n].megabytes:,} MB", "dim"), Run(ENCODERS[n].title)), n) for n in names]

    def fetch(name: str) -> None:
        main.run_worker(encoding.pull(name), group="pull")

    main.app.pick("Fetch weights from the Hugging Face hub", PULL_COLUMNS, entries, fetch)
