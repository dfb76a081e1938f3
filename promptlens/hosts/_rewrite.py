"""Text made out of a prompt, with every character traced back to where it came from: what hosts do before they tokenise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from promptlens.hosts import Fragment
from promptlens.spans import Origin, Run


@dataclass(frozen=True, slots=True)
class Derived:
    """Text made out of the prompt, with its origin (None: it is the prompt)."""

    text: str
    origin: Origin | None = None

    def cut(self, start: int, end: int) -> Derived:
        """Part of it."""
        origin = self.origin.slice(start, end) if self.origin else Origin.of_slices([(start, end)])
        return Derived(self.text[start:end], origin)

    def pick(self, slices: Sequence[tuple[int, int]]) -> Derived:
        """Several parts of it, joined."""
        place = Origin.of_slices(slices)
        return Derived("".join(self.text[a:b] for a, b in slices), place.through(self.origin) if self.origin else place)

    def rebuild(self, pieces: Iterable[tuple[int, int] | str]) -> Derived:
        """Parts of it and new text between them; new text has an empty place after the part before it.

        >>> made = Derived("a,b").rebuild([(0, 2), " ", (2, 3)])
        >>> made.text, made.origin.range(2, 4)
        ('a, b', (2, 3))
        """
        out: list[str] = []
        runs: list[Run] = []
        at = place = 0
        for piece in pieces:
            text, (start, end) = (piece, (place, place)) if isinstance(piece, str) else (self.text[piece[0] : piece[1]], piece)
            if text:
                runs.append(Run(at, at + len(text), start, end))
                out.append(text)
                at += len(text)
            place = end
        if not out:
            runs.append(Run(0, 0, place, place))
        origin = Origin(runs)
        return Derived("".join(out), origin.through(self.origin) if self.origin else origin)


def placed(fragment: Fragment, text: Derived) -> Fragment:
    """A fragment of the text as a fragment of the prompt."""
    if text.origin is None:
        return fragment
    return replace(fragment, origin=text.origin if fragment.origin is None else fragment.origin.through(text.origin))
