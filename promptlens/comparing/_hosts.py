"""One prompt in several hosts: where each cuts it, and who agrees with whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from promptlens.comparing._phrases import LOST
from promptlens.errors import PromptLensError
from promptlens.hosts import EncoderUse
from promptlens.report import Report, Usage


class Boundary(NamedTuple):
    """Chunk `chunk` (from 0; LOST: what is never read) begins at character `at` of the prompt, because of `cut` (Chunk.cut)."""

    at: int
    chunk: int
    cut: str


@dataclass(frozen=True, slots=True)
class HostView:
    """What one host makes of the prompt; no report where it does not run the model or lacks an option, and `refusal` says why."""

    host: str
    report: Report | None
    refusal: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON (docs/json.md)."""
        if self.report is None:
            return {"host": self.host, "refusal": self.refusal}
        usage = self.report.usage
        return {
            "host": self.host,
            "observed": usage.host.observed,
            "host_error": usage.host_error,
            "texts": len(usage.lines),
            "encoders": [
                {
                    "encoder": use.encoder.name,
                    "used": use.used,
                    "chunks": [c.used for c in use.chunks],
                    "shown_count": use.shown_count,
                    "lost": use.lost_count,
                    "boundaries": [b._asdict() for b in boundaries(usage, use)],
                }
                for use in usage.encoders
            ],
        }


def across_hosts(text: str, names: Iterable[str], analysis: Callable[[str, str], Report]) -> tuple[HostView, ...]:
    """What each host makes of a prompt; `analysis` gives the report of (text, host)."""
    return tuple(_view(text, name, analysis) for name in names)


def _view(text: str, name: str, analysis: Callable[[str, str], Report]) -> HostView:
    try:
        return HostView(name, analysis(text, name))
    except PromptLensError as error:
        return HostView(name, None, str(error))


def boundaries(usage: Usage, use: EncoderUse) -> tuple[Boundary, ...]:
    """Where an encoder's chunks begin in the prompt, the first left out, and where what is lost begins; in order."""
    tokens = use.tokens
    found: list[Boundary] = []
    ended = "end"
    ranges = [(c.start, c.stop, n, c.cut) for n, c in enumerate(use.chunks)] + [(a, b, LOST, "full") for a, b in use.lost_places]
    for start, stop, chunk, cut in sorted(ranges, key=lambda r: r[:2]):
        if start < stop and (chunk or found):
            found.append(Boundary(_opened(usage.prompt, tokens[start].span.start), chunk, ended))
        ended = cut
    return tuple(found)


def _opened(prompt: str, at: int) -> int:
    """`(red:1.2)` begins at its bracket."""
    while at and prompt[at - 1] in "([{":
        at -= 1
    return at


def same_cuts(views: Sequence[HostView]) -> list[list[HostView]]:
    """Hosts whose encoders all cut the prompt at the same places and lose the same, together; those that fail or refuse are left out."""
    groups: dict[Any, list[HostView]] = {}
    for view in views:
        if view.report is not None and view.report.usage.failure is None:
            usage = view.report.usage
            cuts = tuple((use.encoder.name, tuple((b.at, b.chunk) for b in boundaries(usage, use))) for use in usage.encoders)
            groups.setdefault((cuts, len(usage.lines)), []).append(view)
    return list(groups.values())
