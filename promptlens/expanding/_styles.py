"""Styles: texts by name that AUTOMATIC1111 and Forge join to a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from promptlens.errors import UnknownNameError
from promptlens.sources import read_prompts
from promptlens.sources.styles import style_name

PLACEHOLDER = "{prompt}"


class Style(NamedTuple):
    """A row of a styles.csv."""

    name: str
    prompt: str = ""
    negative: str = ""


def load_styles(path: Path) -> dict[str, Style]:
    """The styles of a file, by name; of two with one name the later counts, as in the web UI.

    Raises `UnreadableFile`.
    """
    styles: dict[str, Style] = {}
    for prompt in read_prompts(path, as_format="styles"):
        name = style_name(prompt)
        before = styles.get(name, Style(name))
        styles[name] = before._replace(negative=prompt.text) if prompt.role == "negative" else Style(name, prompt.text)
    return styles


def choose_styles(styles: dict[str, Style], names: Iterable[str], where: str) -> list[Style]:
    """Styles by name, in the order of the names. Raises `UnknownNameError` with the nearest one."""
    chosen = []
    for name in names:
        if name not in styles:
            raise UnknownNameError("style", name, styles, where=where)
        chosen.append(styles[name])
    return chosen


def styled(prompt: str, negative: str, styles: Sequence[Style]) -> tuple[str, str]:
    """The prompt and the negative prompt with the styles put around them, one after the other.

    A style that says `{prompt}` takes the prompt in there, each time; another is joined to its end with a comma. Blanks around both are
    dropped, and an empty side leaves no comma. Source: stable-diffusion-webui 1.10.0, modules/styles.py, read.

    >>> styled("a cat", "", [Style("film", "photo of {prompt}, grain"), Style("bad", "", "blurry")])
    ('photo of a cat, grain', 'blurry')
    """
    for style in styles:
        prompt, negative = _merged(prompt, style.prompt), _merged(negative, style.negative)
    return prompt, negative


def _merged(prompt: str, style: str) -> str:
    if PLACEHOLDER in style:
        return style.replace(PLACEHOLDER, prompt)
    return ", ".join(part for part in (prompt.strip(), style.strip()) if part)
