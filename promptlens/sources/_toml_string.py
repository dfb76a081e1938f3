"""TOML strings of all four kinds: what their characters come from, and how a new text is written in the old one's kind.

`tomllib` reads what was written, to see that it says what was meant. A literal string that cannot hold a new text becomes a basic one.
"""

from __future__ import annotations

import re
import tomllib

from promptlens.sources._codec import Codec, Decoded, unescaped

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([ \t]*\r?\n[ \t\r\n]*)|(.))|\r\n", re.DOTALL)
_CRLF = re.compile("\r\n")
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_MUST_ESCAPE = re.compile('[\x00-\x1f\x7f"\\\\]')
_MUST_ESCAPE_LINES = re.compile('[\x00-\x08\x0b-\x1f\x7f\\\\]|"(?="|$)')
_WRITTEN = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _delimiter(raw: str) -> str:
    return raw[:3] if raw[:3] in ('"""', "'''") and len(raw) >= 6 else raw[:1]


def _meaning(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        return chr(int(code, 16))
    if found[3] is not None:
        return ""
    return "\n" if found[4] is None else _SHORT[found[4]]


def _decode(raw: str, context: str) -> Decoded:
    quote = _delimiter(raw)
    start, end = len(quote), len(raw) - len(quote)
    if len(quote) == 3:
        start += 2 if raw.startswith("\r\n", 3) else raw.startswith("\n", 3)  # a newline right after the quotes is not part of it
    if quote[0] == "'":
        return unescaped(raw, _CRLF, lambda m: "\n", start, end)
    return unescaped(raw, _ESCAPE, _meaning, start, end)


def _read(raw: str, context: str) -> str:
    try:
        value = tomllib.loads(f"a = {raw}")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if set(value) != {"a"} or not isinstance(value["a"], str):
        raise ValueError("not one string")
    return value["a"]


def _written(found: re.Match[str]) -> str:
    return _WRITTEN.get(found[0]) or f"\\u{ord(found[0]):04x}"


def _escape(text: str, raw: str, context: str) -> str:
    quote = _delimiter(raw)
    newline = "\r\n" if "\r\n" in raw else "\n"
    if quote == '"':
        return _MUST_ESCAPE.sub(_written, text)
    if quote == '"""':
        return _MUST_ESCAPE_LINES.sub(_written, text).replace("\n", newline)
    return text.replace("\n", newline) if quote == "'''" else text


def _encode(text: str, raw: str, context: str) -> str:
    if _delimiter(raw) in ('"""', "'''") and "\n" in text:
        newline = "\r\n" if "\r\n" in raw else "\n"
        return f'"""{newline}{_MUST_ESCAPE_LINES.sub(_written, text).replace(chr(10), newline)}"""'
    return f'"{_MUST_ESCAPE.sub(_written, text)}"'


CODEC = Codec(_decode, _escape, _encode, _read)
