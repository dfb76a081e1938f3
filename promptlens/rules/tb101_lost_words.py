"""TB101: words that never reach an encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from promptlens.models import Encoder
from promptlens.reach import lost_span, still_read_by
from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import NOTHING
from promptlens.rules._samples import FULL_SCENE, SHORT_SCENE
from promptlens.rules._words import listed, many, shown
from promptlens.spans import Span


@rule(
    "TB101",
    "lost-words",
    "error",
    summary="words are lost: they never reach the model",
    why="A text encoder reads a window of so many tokens, and some hosts send it only one. What does not fit is dropped, often "
    "without a word, and what you change in it changes nothing in the picture. The finding names the lost words, and the "
    "encoders that miss them: models with several encoders may lose words in one and keep them in another. Where T5 reads what CLIP "
    "loses, as in SD3 and Flux, the words are in the picture all the same, and this is a warning; where the model takes only CLIP's "
    "summary of the prompt, as Flux does, it is no more than a remark.",
    wrong=Example(f"{FULL_SCENE} muted palette", host="diffusers"),
    right=Example(SHORT_SCENE, host="diffusers"),
    needs=lambda settings, room: NOTHING,
)
def lost_words(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    found: dict[_Loss, list[Encoder]] = {}
    for line in usage.lines:
        for use in line.encoders:
            for places in use.lost_places:
                span = lost_span(use, places)
                readers = still_read_by(use, line.encoders, span)
                loss = _Loss(
                    span, places[1] - places[0], tuple(other.encoder for other in readers), any(other.unknown for other in readers)
                )
                encoders = found.setdefault(loss, [])
                if use.encoder not in encoders:
                    encoders.append(use.encoder)
    for loss, encoders in found.items():
        yield _hit(usage, loss, encoders)


class _Loss(NamedTuple):
    """Words that some encoders lose, and the encoders that read them all the same; `unsure`: of one of those it is not known."""

    span: Span
    tokens: int
    readers: tuple[Encoder, ...]
    unsure: bool


def _hit(usage: Usage, loss: _Loss, encoders: Sequence[Encoder]) -> Hit:
    lost = loss.tokens
    message = f"{many(lost, 'token')} never {'reaches' if lost == 1 else 'reach'} {listed([e.title for e in encoders])}"
    words = shown(loss.span.of(usage.prompt))
    if not loss.readers:
        hint = f"Shorten the prompt by {many(lost, 'token')}, or move what matters to the front."
        return Hit(loss.span, f"{message}: {words}", hint, amount=lost)
    names = listed([e.title for e in loss.readers])
    if loss.unsure:
        message += f"; {names} may still read them (it is not counted here): {words}"
    else:
        message += f"; {names} still {'reads' if len(loss.readers) == 1 else 'read'} them: {words}"
    # One vector for the whole prompt hardly changes for the words at its end; of token by token states, there are fewer.
    summary = all(e.summary_only for e in encoders)
    hint = "What sets the style and the subject is best put first; the rest works through the other encoder."
    return Hit(loss.span, message, hint, amount=lost, severity="info" if summary and not loss.unsure else "warning")
