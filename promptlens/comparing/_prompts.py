"""What changed between two prompts: counts, tokens, and phrases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

from promptlens.comparing._phrases import Phrase, phrases
from promptlens.hosts import EncoderUse
from promptlens.report import Report
from promptlens.tokens import Token

# Longer lists are compared with difflib's shortcut for items that are everywhere, such as commas: without it its time is their square.
EXACT_UP_TO = 2_000

ChangeKind = Literal["added", "removed", "moved", "reweighed"]


class EncoderChange(NamedTuple):
    """What one encoder gets before and after: tokens that reach it, chunks, tokens lost, and the number that the host shows."""

    encoder: str
    used: tuple[int, int]
    chunks: tuple[int, int]
    free: tuple[int, int]
    lost: tuple[int, int]
    shown_count: tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A phrase that came or went (`before` or `after` is None), is in another chunk ("moved"), or has another weight ("reweighed")."""

    kind: ChangeKind
    before: Phrase | None
    after: Phrase | None

    @property
    def phrase(self) -> Phrase:
        """The phrase as it is now, or as it was."""
        phrase = self.after or self.before
        assert phrase is not None
        return phrase


@dataclass(frozen=True, slots=True)
class PromptDiff:
    """Two reports and what changed from one to the other."""

    before: Report
    after: Report
    encoders: tuple[EncoderChange, ...]
    changes: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """True when the encoders get the very same ids and weights."""
        sent = [[[[(c.ids, c.weights) for c in use.chunks] for use in line.encoders] for line in r.usage.lines] for r in self.reports]
        return sent[0] == sent[1] and self.before.usage.host_error == self.after.usage.host_error

    @property
    def reports(self) -> tuple[Report, Report]:
        """Before and after."""
        return self.before, self.after

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON (docs/json.md)."""
        usage = self.after.usage
        return {
            "host": usage.host.name,
            "model": usage.model.name,
            "same": self.same,
            "before": _side(self.before),
            "after": _side(self.after),
            "encoders": [_encoder(change, self) for change in self.encoders],
            "changes": [
                {"kind": c.kind, "text": c.phrase.text, "before": _phrase(c.before, self.before), "after": _phrase(c.after, self.after)}
                for c in self.changes
            ],
        }


def compare_reports(before: Report, after: Report) -> PromptDiff:
    """What changed from one report to another of the same model.

    Phrases are matched by what they say, in order: one that stands somewhere else among the others was removed and added.
    """
    pairs = zip(before.usage.encoders, after.usage.encoders, strict=True)
    return PromptDiff(before, after, tuple(_counts(a, b) for a, b in pairs), tuple(_changes(before, after)))


def _counts(before: EncoderUse, after: EncoderUse) -> EncoderChange:
    return EncoderChange(
        before.encoder.name,
        (before.used, after.used),
        (len(before.chunks), len(after.chunks)),
        (before.free, after.free),
        (before.lost_count, after.lost_count),
        (before.shown_count, after.shown_count),
    )


def _changes(before: Report, after: Report) -> Iterator[Change]:
    old, new = phrases(before.usage), phrases(after.usage)
    for tag, i, j, k, m in _opcodes([p.key for p in old], [p.key for p in new]):
        if tag == "equal":
            for was, now in zip(old[i:j], new[k:m], strict=True):
                if was.chunks != now.chunks:
                    yield Change("moved", was, now)
                elif was.weight != now.weight:
                    yield Change("reweighed", was, now)
        else:
            yield from (Change("removed", phrase, None) for phrase in old[i:j])
            yield from (Change("added", None, phrase) for phrase in new[k:m])


def token_changes(before: EncoderUse, after: EncoderUse) -> tuple[list[Token], list[Token]]:
    """Tokens that went and tokens that came, lost ones included."""
    old, new = before.tokens, after.tokens
    went: list[Token] = []
    came: list[Token] = []
    for tag, i, j, k, m in _opcodes([t.id for t in old], [t.id for t in new]):
        if tag != "equal":
            went += old[i:j]
            came += new[k:m]
    return went, came


def _opcodes(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[str, int, int, int, int]]:
    """The steps of difflib, after what both begin and end with."""
    limit = min(len(old), len(new))
    start = next((n for n in range(limit) if old[n] != new[n]), limit)
    end = next((n for n in range(limit - start) if old[-1 - n] != new[-1 - n]), limit - start)
    if start:
        yield "equal", 0, start, 0, start
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    matcher = SequenceMatcher(None, left, right, autojunk=max(len(left), len(right)) > EXACT_UP_TO)
    for tag, i, j, k, m in matcher.get_opcodes():
        yield tag, i + start, j + start, k + start, m + start
    if end:
        yield "equal", len(old) - end, len(old), len(new) - end, len(new)


def _side(report: Report) -> dict[str, Any]:
    return {"prompt": report.usage.prompt, "ok": report.ok, "host_error": report.usage.host_error, "texts": len(report.usage.lines)}


def _encoder(change: EncoderChange, diff: PromptDiff) -> dict[str, Any]:
    uses = [next(u for u in r.usage.encoders if u.encoder.name == change.encoder) for r in diff.reports]
    went, came = token_changes(uses[0], uses[1])
    numbers = {name: list(pair) for name, pair in change._asdict().items() if name != "encoder"}
    return {"encoder": change.encoder, **numbers, "removed": _pieces(went), "added": _pieces(came)}


def _pieces(tokens: Sequence[Token]) -> list[dict[str, Any]]:
    return [{"id": t.id, "piece": t.piece, "span": [t.span.start, t.span.end]} for t in tokens]


def _phrase(phrase: Phrase | None, report: Report) -> dict[str, Any] | None:
    if phrase is None:
        return None
    fields = asdict(phrase)
    names = [use.encoder.name for use in report.usage.encoders]
    return {
        "text": phrase.text,
        "span": [phrase.span.start, phrase.span.end],
        "weight": fields["weight"] if fields["weight"] - fields["weight"] == 0 else str(fields["weight"]),
        "tokens": dict(zip(names, phrase.tokens, strict=True)),
        "chunks": {name: list(chunks) for name, chunks in zip(names, phrase.chunks, strict=True)},
    }
