"""Files of the editor: opening any file that PromptLens reads, and writing back the prompt that was edited and nothing else.

A file is replaced in one step and keeps its encoding, its newlines and its byte order mark. One that was changed on disk since it was read
is not written: `ChangedOnDisk`, and the caller asks. A `.txt` file is one prompt here. Asking people is left to filing.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from promptlens.errors import InputError
from promptlens.writing import write_atomically

if TYPE_CHECKING:  # reading files is imported where it is done: 15 ms that a start without a file does not need
    from promptlens.sources import Prompt, ReadSettings


def _settings() -> ReadSettings:
    """How files are read here: a text file is one prompt."""
    from promptlens.sources import ReadSettings

    return ReadSettings(unit="file")


class ChangedOnDisk(InputError):
    """The file is not what it was when it was read."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file with its prompts as they were read, and the bytes they were read from."""

    path: Path
    format: str
    content: bytes
    prompts: tuple[Prompt, ...]

    @property
    def is_text(self) -> bool:
        """True where the file is one prompt and nothing else."""
        return self.format == "text"

    def partner(self, number: int) -> int | None:
        """Number of the negative prompt that belongs to a positive one: the next of the file, if it is negative."""
        following = self.prompts[number + 1 : number + 2]
        return number + 1 if following and following[0].role == "negative" and self.prompts[number].role != "negative" else None


def open_file(path: Path) -> OpenFile:
    """Read a file. One that is not there is a new text file. Raises `InputError`, one line that says why."""
    from promptlens.sources import FORMATS, detect, read_prompts
    from promptlens.sources._document import HEAD_BYTES, MAX_BYTES

    settings = _settings()
    try:
        content = path.read_bytes() if path.exists() and not path.is_dir() else b""
        size_ok = len(content) <= MAX_BYTES
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None
    if path.is_dir():
        raise InputError(f"{path}: is a folder. Give the name of a file.")
    if not size_ok:
        raise InputError(f"{path}: is larger than {MAX_BYTES:,} bytes.")
    row = FORMATS["text"] if not content.strip() else detect(path, content[:HEAD_BYTES], settings) or FORMATS["text"]
    prompts = tuple(p for p in read_prompts(path, as_format=row.name, settings=settings) if not p.computed) if path.exists() else ()
    return OpenFile(path, row.name, content, prompts)


def current(file: OpenFile) -> bytes | None:
    """The bytes of the file as it is now; None when it is gone."""
    try:
        return file.path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{file.path}: cannot be read: {error.strerror or error}.") from None


def save(file: OpenFile, changes: dict[int, str], *, anyway: bool = False) -> OpenFile:
    """Write other texts for some of its prompts, by number. `anyway`: into the file as it is now, also if it has changed since it was read.

    Raises `ChangedOnDisk`, or `InputError` where it cannot be written.
    """
    now = current(file)
    if now is not None and now != file.content and not anyway:
        raise ChangedOnDisk(f"{file.path} was changed by another program since it was opened.")
    if file.is_text:
        content = _text_bytes(file, changes.get(0, ""))
    else:
        content = _rewritten(open_file(file.path) if now != file.content else file, file, changes)
    write_file(file.path, content)
    return open_file(file.path)


def _text_bytes(file: OpenFile, text: str) -> bytes:
    """The file with another text between the white space that it begins and ends with."""
    from promptlens.sources import FORMATS, load_document

    row = FORMATS["text"]
    if not file.path.exists():
        return _encoded(file.path, text + "\n" if text else "")
    document = load_document(file.path, row, _settings())
    old = document.text
    inner = old.strip()
    start = old.index(inner) if inner else len(old)
    end = old[start + len(inner) :] or ("" if old else document.newline)
    lines = text.replace("\n", document.newline)
    try:
        return document.with_text(old[:start] + lines + end).to_bytes()
    except UnicodeEncodeError as error:
        raise _unwritable(file.path, error) from None


def _encoded(path: Path, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: UnicodeEncodeError) -> InputError:
    odd = ascii(error.object[error.start])[1:-1]
    return InputError(f"{path}: cannot hold the character {odd} at place {error.start + 1}; take it out first.")


def _rewritten(now: OpenFile, file: OpenFile, changes: dict[int, str]) -> bytes:
    """The bytes of a file of several prompts after changes; `now` is the file as it is on disk."""
    from promptlens.sources import FORMATS, NotWritable, load_document, rewrite
    from promptlens.sources._prompt import difference

    row = FORMATS[now.format]
    edits = []
    for number, text in changes.items():
        prompt = _same(now, file.prompts[number], number)
        edits.append((prompt, difference(prompt.text, text)))
    try:
        return rewrite(load_document(file.path, row, _settings()), edits, row, _settings()).to_bytes()
    except NotWritable as error:
        raise InputError(str(error)) from None


def _same(now: OpenFile, prompt: Prompt, number: int) -> Prompt:
    """The prompt of the file as it is that was this one when it was read: by its key and its role."""
    if number < len(now.prompts) and now.prompts[number].key == prompt.key:
        return now.prompts[number]
    found = [p for p in now.prompts if p.key == prompt.key and p.role == prompt.role]
    if len(found) != 1:
        raise InputError(f"{now.path}: has no prompt {prompt.key!r} any more. Save this one under another name.")
    return found[0]


def save_as(path: Path, text: str) -> OpenFile:
    """Write a prompt into a text file of its own. Raises `InputError`; a file that is there is replaced, so ask before."""
    write_file(path, _encoded(path, text + "\n"))
    return replace(open_file(path), format="text")


def write_file(path: Path, content: bytes) -> None:
    """Replace a file in one step. Raises `InputError`."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}.") from None
