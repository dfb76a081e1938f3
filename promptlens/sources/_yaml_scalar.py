"""YAML scalars of all five styles: where each character of the text comes from, and how a new text is written in the old one's style.

PyYAML says what a raw form means: it is put into a document of its own and read. The way back is found by walking along both, as YAML
never changes the order of what is written. A style that cannot hold a new text gives way to double quotes, which can hold any.
"""

from __future__ import annotations

import re

from promptlens.sources._codec import Codec, Decoded, identity
from promptlens.spans import Origin, Run

_BLOCK_HEADER = re.compile(r"(?P<style>[|>])(?P<before>[+-]?)(?P<indent>[1-9]?)(?P<after>[+-]?)[^\r\n]*(?P<newline>\r\n|\r|\n|\Z)")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|((?:\r\n|[\r\n\x85\u2028\u2029])[ \t]*)|(.))", re.DOTALL)
_SHORT = dict(zip("0abt\tnvfreN_LP", "\0\a\b\t\t\n\v\f\r\x1b\x85\xa0\u2028\u2029", strict=True))
_FOLD = re.compile("[ \t]*(?:\r\n|[\r\n\x85\u2028\u2029])")
_BLANK = " \t\r\n\x85\u2028\u2029"
_MUST_ESCAPE = re.compile('[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|["\\\\\u2028\u2029]')
_WRITTEN = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _read(raw: str, context: str) -> str:
    """What PyYAML makes of a raw form; raises `ValueError` when it is not one string, or when its two parsers do not agree on it."""
    import yaml  # 20 ms

    if context.endswith("\n") and not raw.endswith(("\n", "\r")):
        raise ValueError("the line does not end")
    header = _BLOCK_HEADER.match(raw)
    if header and header["indent"] and context != "flow":  # the indent counts from what is around it: here, from nothing
        columns = int(header["indent"]) + int(context)
        if columns > 9:
            raise ValueError("indented too deeply")
        raw = raw[: header.start("indent")] + str(columns) + raw[header.end("indent") :]
    document = f"[{raw}]" if context == "flow" else f"- {raw}"
    try:
        value = yaml.load(document, Loader=yaml.SafeLoader)
        also = yaml.load(document, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeEncodeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if value != also or not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], str):
        raise ValueError("not one string")
    return value[0]


_SIMPLE = re.compile(r"""(?!["'|>])[^\r\n\x85\u2028\u2029]+|"[^"\\\r\n\x85\u2028\u2029]*"|'[^'\r\n\x85\u2028\u2029]*'""")


def _decode(raw: str, context: str) -> Decoded:
    if _SIMPLE.fullmatch(raw):  # nothing in it stands for anything else: no need to ask
        if raw[0] not in "\"'":
            return identity(raw)
        return raw[1:-1], Origin([Run(0, len(raw) - 2, 1, len(raw) - 1)])
    text = _read(raw, context)
    header = _BLOCK_HEADER.match(raw)
    if header and context != "flow":
        start, quote = header.end(), ""
    else:
        quote = raw[0] if raw[:1] in ('"', "'") else ""
        start = len(quote)
    runs = _aligned(text, raw, start, quote)
    return text, Origin(runs if runs is not None else [Run(0, len(text), start, max(len(raw) - len(quote), start))])


def _aligned(text: str, raw: str, at: int, quote: str) -> list[Run] | None:
    """Where each character of the text comes from; None when the two do not go together."""
    runs: list[Run] = []
    for place, char in enumerate(text):
        step = _next(char, raw, at, quote)
        if step is None:
            return None
        start, at = step
        last = runs[-1] if runs else None
        if last and at - start == 1 and last.end == start and last.upto - last.at == last.end - last.start:
            runs[-1] = Run(last.at, place + 1, last.start, at)
        else:
            runs.append(Run(place, place + 1, start, at))
    return runs or [Run(0, 0, at, at)]


def _next(char: str, raw: str, at: int, quote: str) -> tuple[int, int] | None:
    """The range of raw that stands for the next character of the text."""
    while at < len(raw):
        here = raw[at]
        if quote == '"' and here == "\\":
            escape = _ESCAPE.match(raw, at)
            if escape is None:
                return None
            if escape[4] is not None:  # the line goes on
                at = escape.end()
                continue
            return (at, escape.end()) if _meaning(escape) == char else None
        if quote == "'" and raw.startswith("''", at):
            return (at, at + 2) if char == "'" else None
        if here == char:
            return at, at + 1
        if here not in _BLANK:
            return None
        fold = _FOLD.match(raw, at) if char in " \n" else None
        if fold:
            return at, fold.end()
        at += 1
    return None


def _meaning(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    if code:
        return chr(int(code, 16)) if int(code, 16) < 0x110000 else ""
    return _SHORT.get(escape[5], escape[5])


def _written(found: re.Match[str]) -> str:
    char = found[0]
    code = ord(char)
    return _WRITTEN.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _indent(raw: str, context: str) -> str:
    """The white space that lines of a block scalar begin with."""
    header = _BLOCK_HEADER.match(raw)
    if header is None or context == "flow":
        return ""
    if header["indent"]:
        return " " * (int(header["indent"]) + int(context))
    line = re.compile("[ \t]*(?=[^ \t\r\n])").search(raw, header.end())
    return line[0] if line else " " * (int(context) + 2)


def _escape(text: str, raw: str, context: str) -> str:
    if raw.startswith('"'):
        return _MUST_ESCAPE.sub(_written, text)
    if raw.startswith("'"):
        return text.replace("'", "''")
    header = _BLOCK_HEADER.match(raw)
    if header and "\n" in text and context != "flow":
        newline = (header["newline"] or "\n") * (2 if header["style"] == ">" else 1)
        return text.replace("\n", newline + _indent(raw, context))
    return text


def _encode(text: str, raw: str, context: str) -> str:
    header = _BLOCK_HEADER.match(raw)
    if header and context != "flow":
        newline = header["newline"] or "\n"
        if header["style"] == "|":
            lines = text.removesuffix("\n").split("\n")
            indent = _indent(raw, context)
            block = raw[: header.end("after")] + newline + newline.join(indent + line if line else "" for line in lines)
            block += newline if raw.endswith(("\n", "\r")) else ""
            try:
                if _read(block, context) == text:
                    return block
            except ValueError:
                pass
        return _quoted(text) + (newline if raw.endswith(("\n", "\r")) else "")
    if raw.startswith("'") and "\n" not in text:
        return "'" + text.replace("'", "''") + "'" if not _MUST_ESCAPE.search(text.replace('"', "").replace("\\", "")) else _quoted(text)
    return _quoted(text)


def _quoted(text: str) -> str:
    return f'"{_MUST_ESCAPE.sub(_written, text)}"'


CODEC = Codec(_decode, _escape, _encode, _read)
