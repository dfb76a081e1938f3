"""What an analysis gives: usage of the windows, findings, and both as plain data.

`to_dict` is the JSON of `promptlens check --format json`; `SCHEMA` counts its versions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from promptlens.hosts import Chunk, EncoderUse, Fragment, Host, Mix, ParsedLine
from promptlens.models import Model
from promptlens.reach import misses_words
from promptlens.spans import Span
from promptlens.tokens import Token

SCHEMA = 1

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text under `span` of the prompt.

    `safe`: the model gets what the prompt already says or plainly means. Otherwise the edit is a guess, or it drops or weighs words.
    """

    span: Span
    replacement: str
    safe: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule reports; `hint` says in plain words what to do.

    `amount` says how bad it is in the rule's own unit (tokens lost, slots wasted; 1 where there is none): what a fix must not raise.
    `others` are stretches besides `span` that it is about too: where a repeated tag stands the first time.
    """

    code: str
    severity: Severity
    span: Span
    message: str
    hint: str = ""
    edit: Edit | None = None
    amount: int = 1
    others: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One text that the host encodes on its own, and what each encoder of the model gets of it."""

    parsed: ParsedLine
    encoders: tuple[EncoderUse, ...]

    @property
    def text(self) -> str:
        """The text as the host encodes it: comments, networks and prompt editing already worked out."""
        return self.parsed.text

    @property
    def fragments(self) -> tuple[Fragment, ...]:
        return self.parsed.fragments


@dataclass(frozen=True, slots=True)
class HostError:
    """The host itself fails on the prompt."""

    name: str
    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Usage:
    """How a prompt uses the windows of a model's encoders in a host.

    `lines` has one entry per text the host encodes; `counted` is the index of the one its counter counts: the heaviest, the first on ties.
    `joined` is what each encoder gets of all counted lines in turn, where the host joins them (empty elsewhere).
    """

    prompt: str
    host: Host
    model: Model
    lines: tuple[Line, ...]
    counted: int = 0
    removed: tuple[Fragment, ...] = ()
    failure: HostError | None = None
    options: Any = field(default=None, repr=False)
    joined: tuple[EncoderUse, ...] = ()

    @property
    def encoders(self) -> tuple[EncoderUse, ...]:
        """What each encoder gets of the counted line or lines, in the model's order."""
        return self.joined or self.lines[self.counted].encoders

    @property
    def fragments(self) -> tuple[Fragment, ...]:
        """The weighted pieces of the counted line or lines."""
        return tuple(f for n in self.counted_lines for f in self.lines[n].fragments)

    @property
    def counted_lines(self) -> tuple[int, ...]:
        """Indices of the lines that `encoders` is made of."""
        if not self.joined:
            return (self.counted,)
        return tuple(n for n, line in enumerate(self.lines) if line.parsed.counted)

    @property
    def host_error(self) -> str | None:
        """Name of the error the host dies of on this prompt."""
        return self.failure.name if self.failure else None


Found = tuple[Finding, ...] | Callable[[Usage], tuple[Finding, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """An analysed prompt. `found` is what was found, or what finds it: `findings` calls that once, when first asked for."""

    usage: Usage
    found: Found = field(default=(), repr=False)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules report, by place and then by code."""
        found = self.found
        if not isinstance(found, tuple):
            found = found(self.usage)
            object.__setattr__(self, "found", found)
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Report) and self.usage == other.usage and self.findings == other.findings

    def __hash__(self) -> int:
        return hash(self.usage)

    @property
    def ok(self) -> bool:
        """True when the host takes the prompt, no word is lost to all encoders, and no finding is an error; a warning is advice."""
        usage = self.usage
        if usage.failure or any(f.severity == "error" for f in self.findings):
            return False
        return not any(misses_words(line.encoders) for line in usage.lines)

    def to_dict(self, *, tokens: bool = True) -> dict[str, Any]:
        """Plain data, ready for JSON (docs/json.md). `tokens`: with every token, its span and weight."""
        usage = self.usage
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "prompt": usage.prompt,
            "host": usage.host.name,
            "host_observed": usage.host.observed,
            "model": usage.model.name,
            "options": _options(usage.options),
            "host_error": None if usage.failure is None else _failure(usage.failure),
            "counted_line": usage.counted,
            "joined_lines": list(usage.counted_lines) if usage.joined else [],
            "lines": [_line(line, usage.prompt, tokens) for line in usage.lines],
            "removed": [_fragment(f) for f in usage.removed],
            "findings": [finding_dict(f) for f in self.findings],
        }


def _options(options: Any) -> dict[str, Any]:
    return {name: _plain(getattr(options, name)) for name in getattr(options, "__dataclass_fields__", {})}


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _failure(failure: HostError) -> dict[str, Any]:
    return {"name": failure.name, "message": failure.message, "span": _span(failure.span)}


def _span(span: Span) -> list[int]:
    return [span.start, span.end]


def _weight(weight: float) -> float | str:
    """A float that JSON can hold; it has no nan and no infinities."""
    return weight if weight - weight == 0 else str(weight)


def _line(line: Line, prompt: str, tokens: bool) -> dict[str, Any]:
    parsed = line.parsed
    return {
        "text": parsed.text,
        "part": parsed.part,
        "weight": _weight(parsed.weight),
        "steps": [list(s) for s in parsed.steps],
        "label": parsed.label,
        "counted": parsed.counted,
        "mix": None if parsed.mix is None else _mix(parsed.mix),
        "fragments": [_fragment(f) for f in parsed.fragments],
        "encoders": [_use(use, prompt, tokens) for use in line.encoders],
    }


def _mix(mix: Mix) -> dict[str, Any]:
    return {"kind": mix.kind, "weight": _weight(mix.weight), "normalize": mix.normalize}


def _fragment(fragment: Fragment) -> dict[str, Any]:
    return {"text": fragment.text, "kind": fragment.kind, "weight": _weight(fragment.weight), "span": _span(fragment.span)}


def _use(use: EncoderUse, prompt: str, tokens: bool) -> dict[str, Any]:
    return {
        "encoder": use.encoder.name,
        "window": use.encoder.window,
        "capacity": use.encoder.capacity,
        "shown_count": use.shown_count,
        "used": use.used,
        "free": use.free,
        "wasted": use.wasted,
        "lost": {"count": use.lost_count, "tokens": [_token(t, prompt) for t in use.lost] if tokens else []},
        "removed_text": use.removed_text,
        "unknown": use.unknown or None,
        "summary_only": use.encoder.summary_only,
        "chunks": [_chunk(c, prompt, tokens) for c in use.chunks],
    }


def _chunk(chunk: Chunk, prompt: str, tokens: bool) -> dict[str, Any]:
    return {
        "used": chunk.used,
        "padding": chunk.padding,
        "cut": chunk.cut,
        "ids": list(chunk.ids),
        "weights": [_weight(w) for w in chunk.weights],
        "tokens": [_token(t, prompt) for t in chunk.tokens] if tokens else [],
    }


def _token(token: Token, prompt: str) -> dict[str, Any]:
    return {
        "id": token.id,
        "piece": token.piece,
        "text": token.span.of(prompt),
        "span": _span(token.span),
        "weight": _weight(token.weight),
        "word": token.word,
    }


def finding_dict(finding: Finding) -> dict[str, Any]:
    """A finding as plain data."""
    edit = finding.edit
    return {
        "code": finding.code,
        "severity": finding.severity,
        "span": _span(finding.span),
        "message": finding.message,
        "hint": finding.hint,
        "edit": None if edit is None else {"span": _span(edit.span), "replacement": edit.replacement, "safe": edit.safe},
    }
