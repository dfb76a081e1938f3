"""kohya-ss captions: `<image>.txt` or `.caption` beside a training image.

Only the first line is read, unless `enable_wildcard` is on: then every line that is not empty is a caption of its own, and one is drawn at
random each time. The trainer reads plain UTF-8 (a byte order mark becomes part of the caption), and stops at an empty file.
Read in sd-scripts, library/train_util.py, read_caption.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from promptlens.sources._document import Line, shown
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Notice, prompt_in_line

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif", ".jxl")


def _detects(path: PurePath, head: Head) -> bool:
    if path.suffix.lower() != ".txt":
        return False
    stem = str(path.with_suffix(""))
    return any(os.path.exists(stem + suffix) for suffix in IMAGE_SUFFIXES)


def _read(path: str, lines: Iterable[Line], settings: ReadSettings) -> Iterator[Item]:
    first = True
    for line in lines:
        text = line.text.strip()
        if first or settings.every_line:
            if text:
                indent = line.text.index(text)
                yield prompt_in_line(path, text, line.start + indent, line.number, indent + 1, key=f"line {line.number}", role="caption")
            elif first:
                yield Notice("empty", "the first line is empty, and so is the caption: the trainer stops here", path, line.number)
        elif text:
            message = f"only the first line of a caption is read; this one is not: {shown(text[:60])!r}"
            yield Notice("ignored", message, path, line.number, text=text, key="line 1")
        first = False
    if first:
        yield Notice("empty", "the caption file is empty: the trainer stops here", path, 1)


def _plain_texts(text: str, settings: ReadSettings) -> list[str]:
    first, _, more = text.partition("\n")
    caption = first.strip()
    return [caption] if caption and not (more.strip() or settings.every_line) else []


FORMAT = Format(
    name="kohya-caption",
    title="kohya-ss caption",
    summary="The first line is the caption of the image beside it. Files that end in .caption; .txt files beside an image of that name.",
    kind="caption",
    names=("*.caption",),
    suffixes=(".txt",),
    detects=_detects,
    rank=40,
    roles=("caption",),
    read_lines=_read,
    plain_texts=_plain_texts,
    bom="keep",
    host="kohya",
)
