"""What the tests of output formats share: entries of texts and files, and what a format writes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from promptlens import analyze
from promptlens.render import Entry, Item, Note, Trouble, Unchecked, load_format
from promptlens.rules import FileNote, run_file_rules
from promptlens.sources import Notice, Prompt, UnreadableFile, read
from promptlens.terminal import Screen

# Prompts that mean something to a terminal, a shell, XML, JSON, a URI or a CI system. Each has a repeated tag, so that something is found.
HOSTILE = {
    "workflow command": "cat, x\n::error file=a,line=1::gone%0A::warning::b, cat",
    "escapes of workflow commands": "%25%0D%0A%3A%2C, cat, cat",
    "old workflow command": "cat, hat, cat, ##[add-mask]secret",
    "colours": "\x1b[31mred\x1b[0m, \x1b[31mred\x1b[0m",
    "control characters": "a\x00\x07\x08\x0b\x7f\x85b, a\x00\x07\x08\x0b\x7f\x85b",
    "end of a CDATA section": "]]>, <b>&amp;</b>, ]]>",
    "lone surrogates": "\ud800 cat, \udc80, \ud800 cat",
    "no characters": "\ufffe\uffff, cat, cat",
    "emoji": "👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿, 日本 cat, 👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "direction": "\u202eevil\u2066, \u2028line, \u202eevil\u2066",
    "a link and placeholders": "[red](cat:1), {0} {a|b}, [red](cat:1)",
    "quotes": "\"a\" 'b' \\, \"a\" 'b' \\",
    "carriage returns": "cat\r\nhat\r, cat\r\nhat\r",
}


def of_text(text: str, name: str = "<text>", host: str = "a1111", model: str = "sd15") -> Entry:
    """The entry of a prompt that is in no file."""
    return Entry(analyze(text, host, model), name)


def of_file(path: str | Path, host: str = "a1111", model: str = "sd15", format: str | None = None) -> Iterator[Item]:
    """The items of a file: each prompt analysed, and what else its reader says."""
    name = str(path)
    try:
        for item in read(name, as_format=format):
            yield _item(item, name, host, model)
    except UnreadableFile as error:
        yield Trouble(str(error).removeprefix(f"{name}: "), name, 1, None, 1, "TB501")


def _item(item: Prompt | Notice, name: str, host: str, model: str) -> Item:
    if isinstance(item, Notice):
        (finding,) = run_file_rules(FileNote(item.kind, item.message, item.text))
        return Note(finding, name, item.line, item.column, item.text)
    if item.computed or item.skipped:
        return Unchecked(item, name, item.computed or item.skipped or "")
    return Entry(analyze(item.text, host, model), name, item.role, source=item)


def written(format_name: str, items: Iterable[Item], *, ascii: bool = False) -> str:
    """What a format writes, once it has gone through an output that takes only characters."""
    text = "".join(load_format(format_name).write(items, Screen(80, ascii=ascii)))
    return text.encode("utf-8", "backslashreplace").decode()
