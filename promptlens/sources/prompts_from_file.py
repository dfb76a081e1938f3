"""AUTOMATIC1111's "Prompts from file or textbox": one job a line, with options where the line has a `--` in it.

    a cat                                              a prompt
    --prompt "a cat" --negative_prompt dog --steps 20  options, read like a command line
    a cat --steps 20                                   an error: the whole line, options and all, is the prompt

The script has no comments. Bytes that are not UTF-8 are dropped. Read in scripts/prompts_from_file.py of the web UI and of Forge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from promptlens.sources._document import UNDECODABLE, Line, shown, trimmed
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Notice, Piece, Place, Prompt, Role, prompt_in_line
from promptlens.sources._shell import Word, words

STRINGS = ("outpath_samples", "outpath_grids", "prompt_for_display", "styles", "sampler_name")
INTEGERS = (
    *("seed", "subseed", "seed_resize_from_h", "seed_resize_from_w", "sampler_index"),
    *("batch_size", "n_iter", "steps", "width", "height"),
)
NUMBERS = ("subseed_strength", "cfg_scale")
SWITCHES = ("restore_faces", "tiling", "do_not_save_samples", "do_not_save_grid")
PROMPTS: dict[str, Role] = {"prompt": "positive", "negative_prompt": "negative"}

_OPTION = re.compile(rf"(?:^|\s)--(?:{'|'.join([*PROMPTS, *STRINGS, *INTEGERS, *NUMBERS, *SWITCHES])})\s")


def _detects(path: PurePath, head: Head) -> bool:
    return path.suffix.lower() in (".txt", "") and any(_OPTION.search(line) for line in head.text.splitlines())


def _values(line: str) -> dict[str, list[Word]]:
    """The words of each prompt option; raises `ValueError` where the script gives up and takes the line as it is."""
    found = list(words(line))
    values: dict[str, list[Word]] = {}
    at = 0
    while at < len(found):
        option = found[at].text
        name = option[2:]
        if not option.startswith("--"):
            raise ValueError(f"{option!r} is no option: words stand after --prompt only")
        if at + 1 >= len(found):
            raise ValueError(f"{option} has no value")
        end = at + 2
        if name in PROMPTS:
            while end < len(found) and not found[end].text.startswith("--"):
                end += 1
            values[name] = found[at + 1 : end]
        else:
            _value(name, found[at + 1].text)
        at = end
    return values


def _value(name: str, value: str) -> None:
    if name in INTEGERS or name in NUMBERS:
        try:
            (int if name in INTEGERS else float)(value)
        except ValueError:
            kind = "a whole number" if name in INTEGERS else "a number"
            raise ValueError(f"--{name} wants {kind}, not {value!r}") from None
    elif name not in STRINGS and name not in SWITCHES:
        raise ValueError(f"--{name} is not known")


def _read(path: str, lines: Iterable[Line], settings: ReadSettings) -> Iterator[Item]:
    for line in lines:
        at = line.start
        for part in line.text.splitlines(keepends=True):  # the script ends lines where Python does, also at U+2028 and such
            yield from _job(path, part, at, line.number, at - line.start + 1)
            at += len(part)


def _job(path: str, part: str, start: int, number: int, column: int) -> Iterator[Item]:
    indent, text = trimmed(part)
    start, column, key = start + indent, column + indent, f"line {number}"
    if UNDECODABLE.search(part):
        yield Notice("bytes", "bytes that are not UTF-8 stand here; they are dropped", path, number, column, key=key)
    try:
        values = _values(text) if "--" in text else None
    except ValueError as error:
        message = f"the options cannot be read ({shown(str(error))}), so that the whole line is the prompt"
        yield Notice("literal", message, path, number, column, text=text, key=key)
        values = None
    if values is None:
        if text:
            yield prompt_in_line(path, text, start, number, column, key=key, context="splitlines")
        return
    for name, role in PROMPTS.items():
        if name in values:
            first, last = values[name][0].start, values[name][-1].end
            place = Place(start + first, text[first:last], number, column + first, "shell")
            value = " ".join(word.text for word in values[name])
            line, at = place.locate(0)
            yield Prompt(value, path, line, at, role, f"{key} --{name}", pieces=(Piece(0, len(value), place),))


FORMAT = Format(
    name="prompts-from-file",
    title="Prompts from file",
    summary="One job a line, with options such as --prompt and --negative_prompt, for the web UI's script of that name.",
    suffixes=(".txt",),
    detects=_detects,
    rank=15,
    read_lines=_read,
    bom="keep",
    undecodable="ignore",
)
