r"""How a text is embedded in a file: `CODECS` turns its raw form into text, character by character, and text back into a raw form.

    plain     as it stands; `\r\n` and `\r` are read as `\n`; bytes that are not UTF-8 are not read
    line      the same on one line: it cannot hold a newline, nor begin or end with white space ("inner" in the context: it can;
              "splitlines": the other characters that Python ends lines at end it too)
    lines     lines that are each read without the white space around them ("negative" in the context: and without `Negative prompt:`)
    json      a JSON string with its quotes
    csv       a CSV field, quoted or not
    shell     words of a command line, joined by one space each
    toml      a TOML string of any of the four kinds, with its quotes
    yaml      a YAML scalar of any of the five styles (_yaml_scalar.py)

An edit is made in the raw form where it can be, so that what stands around it keeps its escapes, and is read back to see that it says what
was meant; where it does not (a comma comes into an unquoted field), the whole text is written anew in the nearest form that can hold it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from promptlens.errors import InputError
from promptlens.spans import Origin, Run

Decoded = tuple[str, Origin]
Edit = tuple[int, int, str]  # start and end in the text, and what to put there


class NotWritable(InputError):
    """A text that cannot be written where the prompt stands."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One way of embedding.

    decode   (raw, context) -> text and where in raw its characters come from; raises `ValueError` when raw is not one whole text
    escape   (text, raw, context) -> how a piece of text is written amid raw
    encode   (text, raw, context) -> the whole text written anew in place of raw
    check    (raw, context) -> what a reader of the file reads: another way than `decode` where there is one
    """

    decode: Callable[[str, str], Decoded]
    escape: Callable[[str, str, str], str]
    encode: Callable[[str, str, str], str]
    check: Callable[[str, str], str] | None = None


def identity(raw: str) -> Decoded:
    """The text is the raw form."""
    return raw, Origin.identity(len(raw))


def unescaped(raw: str, pattern: re.Pattern[str], meaning: Callable[[re.Match[str]], str], start: int, end: int) -> Decoded:
    """The text of `raw[start:end]` where each match of the pattern stands for its meaning."""
    parts: list[str] = []
    runs: list[Run] = []
    at, length = start, 0
    for found in pattern.finditer(raw, start, end):
        for piece, low, high in ((raw[at : found.start()], at, found.start()), (meaning(found), found.start(), found.end())):
            if piece:
                runs.append(Run(length, length + len(piece), low, high))
                parts.append(piece)
                length += len(piece)
        at = found.end()
    if at < end or not runs:  # an empty text still has its place
        runs.append(Run(length, length + end - at, at, end))
        parts.append(raw[at:end])
    return "".join(parts), Origin(runs)


def _same(text: str, raw: str, context: str) -> str:
    return text


def _refuse(text: str, raw: str, context: str) -> str:
    raise NotWritable("this place in the file cannot hold the new text")


_PLAIN = re.compile("\r\n|\r|[\udc80-\udcff]")


def _plain(raw: str, context: str) -> Decoded:
    if _PLAIN.search(raw) is None:
        return identity(raw)
    return unescaped(raw, _PLAIN, lambda m: "\n" if m[0][0] == "\r" else "", 0, len(raw))


def _plain_escape(text: str, raw: str, context: str) -> str:
    newline = next((n for n in ("\r\n", "\n", "\r") if n in raw), context or "\n")
    return text if newline == "\n" else text.replace("\n", newline)


def _plain_encode(text: str, raw: str, context: str) -> str:
    return _plain_escape(text, raw, context)


def _line_check(raw: str, context: str) -> str:
    text = _plain(raw, context)[0]
    ends = len(text.splitlines()) > 1 if "splitlines" in context else "\n" in text
    if ends or not text or (text != text.strip() and "inner" not in context):
        raise ValueError("not one line")
    return text


_LINES = re.compile(r"[^\S\n]*\n[^\S\n]*")
_NEGATIVE_LINES = re.compile(r"[^\S\n]*\n[^\S\n]*(?:Negative prompt:[^\S\n]*)?")


def _lines(raw: str, context: str) -> Decoded:
    return unescaped(raw, _NEGATIVE_LINES if context == "negative" else _LINES, lambda m: "\n", 0, len(raw))


_JSON_ESCAPE = re.compile(r"\\(?:u([Dd][89abAB][0-9a-fA-F]{2})\\u([Dd][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_JSON_SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_JSON_WRITTEN = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_JSON_WHOLE = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_MUST_ESCAPE = re.compile('[\x00-\x1f"\\\\\x7f\ud800-\udfff]')
_MAY_ESCAPE = re.compile('[\x00-\x1f"\\\\\x7f-\U0010ffff]')


def _json_meaning(found: re.Match[str]) -> str:
    high, low, unit, short = found.groups()
    if short is not None:
        return _JSON_SHORT[short]
    if unit is not None:
        return chr(int(unit, 16))
    return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))


def _json(raw: str, context: str) -> Decoded:
    if not _JSON_WHOLE.fullmatch(raw):
        raise ValueError("not a JSON string")
    return unescaped(raw, _JSON_ESCAPE, _json_meaning, 1, len(raw) - 1)


def _json_written(found: re.Match[str]) -> str:
    char = found[0]
    if char in _JSON_WRITTEN:
        return _JSON_WRITTEN[char]
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


_ESCAPED_LETTER = re.compile(r"\\u(?!00[0-7])[0-9a-fA-F]{4}")


def _json_escape(text: str, raw: str, context: str) -> str:
    # a string whose letters beyond ASCII are written as \uXXXX comes from a program that writes ASCII only
    return (_MAY_ESCAPE if _ESCAPED_LETTER.search(raw) else _MUST_ESCAPE).sub(_json_written, text)


def _json_encode(text: str, raw: str, context: str) -> str:
    return f'"{_json_escape(text, raw, context)}"'


_DOUBLED = re.compile('""')
_CSV_QUOTED = re.compile('"(?:[^"]|"")*"')
_CSV_BARE = re.compile('[^,\r\n"][^,\r\n]*|')


def _csv(raw: str, context: str) -> Decoded:
    if _CSV_QUOTED.fullmatch(raw):
        return unescaped(raw, _DOUBLED, lambda m: '"', 1, len(raw) - 1)
    if not raw.startswith('"'):
        if not _CSV_BARE.fullmatch(raw) or (context == "skip" and raw.startswith(" ")):
            raise ValueError("not a CSV field")
        return identity(raw)
    end = next(m.end() for m in _CSV_QUOTED_START.finditer(raw))  # "quoted"and more: the quotes go, the rest is joined to it
    if any(c in raw[end:] for c in ",\r\n"):
        raise ValueError("not a CSV field")
    head, origin = unescaped(raw, _DOUBLED, lambda m: '"', 1, end - 1)
    rest = Run(len(head), len(head) + len(raw) - end, end, len(raw))
    return head + raw[end:], Origin([*(r for r in origin.runs if r.upto > r.at), rest])


_CSV_QUOTED_START = re.compile('"(?:[^"]|"")*(?:"(?!")|$)')


def _csv_escape(text: str, raw: str, context: str) -> str:
    return text.replace('"', '""') if raw.startswith('"') else text


def _csv_encode(text: str, raw: str, context: str) -> str:
    return '"' + text.replace('"', '""') + '"'


_CODECS: dict[str, Codec] = {
    "plain": Codec(_plain, _plain_escape, _plain_encode),
    "line": Codec(_plain, _same, _refuse, _line_check),
    "lines": Codec(_lines, _plain_escape, _plain_encode),
    "json": Codec(_json, _json_escape, _json_encode),
    "csv": Codec(_csv, _csv_escape, _csv_encode),
}


def codec(name: str) -> Codec:
    """The codec of that name; those of shell words, TOML and YAML are loaded when first needed."""
    row = _CODECS.get(name)
    if row is None:
        import importlib

        module = {"shell": "_shell", "toml": "_toml_string", "yaml": "_yaml_scalar"}[name]
        row = _CODECS[name] = importlib.import_module(f"promptlens.sources.{module}").CODEC
    return row


@lru_cache(maxsize=32)
def decoded(name: str, raw: str, context: str) -> Decoded:
    """The text of a raw form and its origin; kept for the last few, as many places of one prompt are asked for."""
    return codec(name).decode(raw, context)


def edited(name: str, raw: str, context: str, edits: Sequence[Edit]) -> str:
    """The raw form after edits of the text (not overlapping); raises `NotWritable` when it cannot say the new text."""
    text, origin = decoded(name, raw, context)
    way = codec(name)
    ordered = sorted(edits)
    wanted = _patched(text, ordered)
    if wanted == text:
        return raw
    near = _patched(raw, [(*origin.range(start, end), way.escape(new, raw, context)) for start, end, new in ordered])
    check = way.check or (lambda r, c: way.decode(r, c)[0])
    for anew in (False, True):
        candidate = way.encode(wanted, raw, context) if anew else near
        try:
            if check(candidate, context) == wanted:
                return candidate
        except ValueError:
            continue
    raise NotWritable("this place in the file cannot hold the new text")


def _patched(text: str, edits: Iterable[Edit]) -> str:
    parts, at = [], 0
    for start, end, new in edits:
        parts += [text[at:start], new]
        at = max(at, end)
    return "".join([*parts, text[at:]])
