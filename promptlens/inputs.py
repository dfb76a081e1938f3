"""Where the prompts of a run come from: arguments, files and standard input.

`read_inputs` yields a `Prompt` for what can be read and an `Unreadable` for what cannot, in order, one at a time, so that a bad one never
stops the others. Here a file is one prompt, as for commands that look at a single one; files of prompts and folders are checking's.
"""

from __future__ import annotations

import itertools
import os
import stat
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from promptlens.errors import InputError
from promptlens.terminal import talk

ArgumentKind = Literal["auto", "text", "file"]
StdinFormat = Literal["text", "lines", "jsonl"]

# What people keep prompts in, or point at by mistake: an argument that ends so was meant as a file.
FILE_SUFFIXES = (
    "/",
    ".txt",
    ".caption",
    ".json",
    ".jsonl",
    ".csv",
    ".tsv",
    ".yaml",
    ".yml",
    ".toml",
    ".md",
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
)


class Prompt(NamedTuple):
    """A prompt and where it came from.

    `name` is the path, `<text>`, `<stdin>` or `<stdin>:LINE`; `line` counts from 1; `id` and `options` are those of a JSON line.
    """

    text: str
    name: str
    line: int | None = None
    id: Any = None
    options: Mapping[str, Any] | None = None


class Unreadable(NamedTuple):
    """Something that is no prompt, and why. `line` counts from 1 where the input has lines."""

    name: str
    message: str
    line: int | None = None
    id: Any = None


class Argument(NamedTuple):
    """What an argument of a command is; `name` is how a text is called in what is written."""

    kind: Literal["text", "stdin", "path"]
    value: str
    name: str = ""


def told_apart(arguments: Sequence[str], kind: ArgumentKind = "auto") -> list[Argument]:
    """What each argument is: `-` is standard input; an existing path, a pattern of them and what looks like the name of a file are files;
    all else is a prompt.

    `kind` settles it. Raises `InputError` for `-` given twice.
    """
    found = [Argument(_kind(argument, kind), argument) for argument in arguments]
    if sum(argument.kind == "stdin" for argument in found) > 1:
        raise InputError("'-' (standard input) can be given only once.")
    texts = sum(argument.kind == "text" for argument in found)
    numbers = itertools.count(1)
    return [a._replace(name=f"<text {next(numbers)}>" if texts > 1 else "<text>") if a.kind == "text" else a for a in found]


def _kind(argument: str, kind: ArgumentKind) -> Literal["text", "stdin", "path"]:
    if argument == "-" and kind != "text":
        return "stdin"
    return "path" if _is_file(argument, kind) or (kind == "auto" and (is_glob(argument) or missing_file(argument))) else "text"


def read_inputs(
    arguments: Sequence[str], *, kind: ArgumentKind = "auto", stdin_format: StdinFormat = "text"
) -> Iterator[Prompt | Unreadable]:
    """The prompts that the arguments of a command name; a file is one prompt. Raises `InputError` for `-` given twice."""
    for argument in told_apart(arguments, kind):
        if argument.kind == "stdin":
            yield from read_stdin(stdin_format)
        elif argument.kind == "path":
            yield _read_file(argument.value)
        else:
            yield prompt_argument(argument.value, argument.name)


def read_one(argument: str, kind: str | None) -> str:
    """The one prompt that a command is given: a text, a file that is one prompt, or `-`.

    Raises `InputError` with the way out: what cannot be read, a file without a word in it, a name of a file that is not there.
    """
    if kind is None:
        refuse_missing(argument)
    (prompt,) = read_inputs([argument], kind=kind or "auto")  # type: ignore[arg-type]
    if isinstance(prompt, Unreadable):
        raise InputError(f"{prompt.name}: {prompt.message}")
    if not prompt.text.strip() and prompt.name == argument:
        raise InputError(f"{argument}: there is no prompt in it.")
    return prompt.text


def refuse_missing(argument: str) -> None:
    """Raise `InputError` for what looks like the name of a file that is not there: it would be read as a prompt of one odd word."""
    if missing_file(argument):
        raise InputError(f"There is no file {argument!r}. If it is a prompt, say so with --text.")


def missing_file(argument: str) -> bool:
    """True for an argument that looks like the name of a file, and of one that is not there."""
    if not argument.lower().endswith(FILE_SUFFIXES) or any(c.isspace() for c in argument):
        return False
    return not os.path.exists(argument) and not is_glob(argument)


def note_missing(arguments: Iterable[str]) -> None:
    """Say on stderr which arguments are taken for files that are not there, and the way out where one is a prompt."""
    for name in filter(missing_file, arguments):
        talk("note", f"{name!r} is taken for the name of a file. If it is a prompt, say so with --text.")


def is_glob(argument: str) -> bool:
    """True for what looks like a pattern of file names and not like a prompt.

    >>> is_glob("prompts/*.txt"), is_glob("a [red] cat, * * *")
    (True, False)
    """
    if "*" not in argument and "?" not in argument:
        return False
    return ("/" in argument or os.sep in argument or "*." in argument) and not any(c.isspace() or c in ",()<>|" for c in argument)


def _is_file(argument: str, kind: ArgumentKind) -> bool:
    if kind != "auto" or argument == "-":
        return kind == "file" and argument != "-"
    try:
        return os.path.exists(argument)
    except ValueError:  # a NUL in it: no path
        return False


def prompt_argument(text: str, name: str) -> Prompt | Unreadable:
    """A prompt given as an argument; bytes that the shell passed on and that are no text make it unreadable."""
    place = next((i for i, char in enumerate(text) if "\udc80" <= char <= "\udcff"), None)
    if place is None:
        return Prompt(text, name)
    byte = ord(text[place]) - 0xDC00
    way_out = "Put the prompt into a UTF-8 file and give its name."
    return Unreadable(name, f"the argument holds the byte 0x{byte:02x} at character {place + 1}, which is not UTF-8. {way_out}")


def _read_file(path: str) -> Prompt | Unreadable:
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            return Unreadable(path, "is a folder, and one prompt is wanted: give the name of a file.")
        content = Path(path).read_bytes()
    except OSError as error:
        return Unreadable(path, f"cannot be read: {error.strerror or error}.")
    except ValueError:
        return Unreadable(path, "is not a path.")
    return _whole(content, path)


def _whole(content: bytes, name: str) -> Prompt | Unreadable:
    """All of a file or of stdin as one prompt; the line break that editors and `echo` end a text with is no part of it."""
    try:
        text = content.removeprefix(BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        return Unreadable(name, _undecodable(content, error))
    return Prompt(text.removesuffix("\n").removesuffix("\r"), name)


def _undecodable(content: bytes, error: UnicodeDecodeError) -> str:
    """Why bytes are no UTF-8 text, where, and the way out."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is UTF-16, not UTF-8 (byte offset 0). Save it as UTF-8."
    offset = error.start + (len(BOM_UTF8) if content.startswith(BOM_UTF8) else 0)
    return f"is not UTF-8: byte 0x{content[offset]:02x} at byte offset {offset}. Save it as UTF-8 (iconv -f CP1252 -t UTF-8 often does)."


def read_stdin(stdin_format: StdinFormat) -> Iterator[Prompt | Unreadable]:
    """The prompts of standard input, as they come."""
    if sys.stdin is None:
        yield Unreadable("<stdin>", "is closed.")
    elif stdin_format == "text":
        yield _whole(sys.stdin.buffer.read(), "<stdin>")
    else:
        # Line by line as they come: who writes a line may wait for its report.
        for number, line in enumerate(sys.stdin.buffer, start=1):
            content = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                content = content.removeprefix(BOM_UTF8)
            if content.strip():
                yield _read_line(content, number, stdin_format)


def _read_line(content: bytes, number: int, stdin_format: StdinFormat) -> Prompt | Unreadable:
    name = f"<stdin>:{number}"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return Unreadable(name, f"line {number} is not UTF-8: byte 0x{content[error.start]:02x} at its byte {error.start + 1}.", number)
    return Prompt(text, name, number) if stdin_format == "lines" else _json_line(text, name, number)


def _json_line(text: str, name: str, number: int) -> Prompt | Unreadable:
    """A line `{"id": ..., "text": ..., "options": {...}}`; other keys are passed over."""
    import json  # 8 ms: only for those who send it

    try:
        row = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return Unreadable(name, f"line {number} is not JSON: {error}.", number)
    if not isinstance(row, dict):
        return Unreadable(name, f'line {number} must be an object {{"id", "text", "options"}}, not {type(row).__name__}.', number)
    prompt, options, given_id = row.get("text"), row.get("options"), row.get("id")
    if not isinstance(prompt, str):
        why = "has no 'text'" if "text" not in row else f"'text' must be a string, not {type(prompt).__name__}"
        return Unreadable(name, f"line {number}: {why}.", number, given_id)
    if options is not None and not isinstance(options, dict):
        return Unreadable(name, f"line {number}: 'options' must be an object, not {type(options).__name__}.", number, given_id)
    return Prompt(prompt, name, number, given_id, options)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
