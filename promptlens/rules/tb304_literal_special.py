"""TB304: a special token of the encoder, written out in the prompt."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.hosts import EncoderUse
from promptlens.report import Edit, Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import Needs
from promptlens.rules._words import listed, shown
from promptlens.spans import Span


@rule(
    "TB304",
    "literal-special",
    "error",
    summary="a start or end token is written out in the prompt",
    why="`<|startoftext|>` and `<|endoftext|>` are no words: the encoder's own marks are written so, and many tokenizers make the"
    " marks of them wherever they stand. What comes after an end token is left out of the pooled vector, and some hosts drop "
    "it altogether. The open_clip tokenizer knows `<start_of_text>` and `<end_of_text>` instead. It is said only where the "
    "host's tokenizer really makes a mark of it.",
    wrong=Example("a red cat<|endoftext|>, a dog"),
    right=Example("a red cat, a dog"),
    needs=lambda settings, room: Needs("<|&."),
)
def literal_special(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    prompt = usage.prompt
    if "<" not in prompt and "&" not in prompt and prompt.isascii():  # also a full-width sign or a character reference may become one
        return
    found: dict[tuple[Span, bool], list[str]] = {}
    for line in usage.lines:
        for use in line.encoders:
            for mark in _specials(use):
                encoders = found.setdefault(mark, [])
                if use.encoder.title not in encoders:
                    encoders.append(use.encoder.title)
    for (span, ends), encoders in found.items():
        message = f"{shown(span.of(prompt))} is read as a mark of the tokenizer, not as text, by {listed(encoders)}"
        hint = "Delete it: what comes after an end mark hardly counts." if ends else "Delete it: the host puts one where it belongs."
        yield Hit(span, message, hint, _deleted(prompt, span))


def _deleted(prompt: str, span: Span) -> Edit:
    """The mark taken out with the blanks that only it needed; a blank comes in where two words would grow together."""
    start, end = span.start, span.end
    if prompt[end : end + 1] in ("", " ", "\t", "\n", ","):
        start = len(prompt[:start].rstrip(" \t"))
    if start == 0 or prompt[start - 1] == "\n":
        end += len(prompt[end:]) - len(prompt[end:].lstrip(" \t"))
    around = prompt[max(start - 1, 0) : start] + prompt[end : end + 1]
    return Edit(Span(start, end), " " if len(around) == 2 and around.isalnum() else "")


def _specials(use: EncoderUse) -> Iterator[tuple[Span, bool]]:
    """Where the prompt itself has a start or end token, and whether it is an end."""
    if use.stream is None:
        return
    ids, marks = use.stream.ids, (use.encoder.bos, use.encoder.eos)
    if marks[0] not in ids and marks[1] not in ids:
        return
    yield from ((token.span, token.id == marks[1]) for token in use.tokens if token.id in marks)
