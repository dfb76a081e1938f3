"""Text made out of a prompt, with every character traced back to where it came from: what hosts do before they tokenise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from promptlens.hosts import Fragment
from promptlens.spans import Origin, Run, join_origins

# A part as (start, end); new text in place of a part as (start, end, text); new text between parts.
Piece = tuple[int, int] | tuple[int, int, str] | str


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

    def rebuild(self, pieces: Iterable[Piece]) -> Derived:
        """Parts of it and new text: new text in place of a part, or between parts, where its place is empty.

        >>> made = Derived("a,b").rebuild([(0, 2), " ", (2, 3)])
        >>> made.text, made.origin.range(2, 4)
        ('a, b', (2, 3))
        """
        out: list[str] = []
        runs: list[Run] = []
        at = place = 0
        for piece in pieces:
            if isinstance(piece, str):
                text, start, end = piece, place, place
            elif len(piece) == 2:
                start, end = piece
                text = self.text[start:end]
            else:
                start, end, text = piece
            if text:
                runs.append(Run(at, at + len(text), start, end))
                out.append(text)
                at += len(text)
            place = end
        if not out:
            runs.append(Run(0, 0, place, place))
        origin = Origin(runs)
        return Derived("".join(out), origin.through(self.origin) if self.origin else origin)


def join(parts: Sequence[Derived], separator: str) -> Derived:
    """The parts with a separator between them, which stands for what lies between them in the prompt."""
    found: list[tuple[int, Origin]] = []
    for part in parts:
        origin = part.origin or Origin.identity(len(part.text))
        if found:
            before = found[-1][1].range(0, found[-1][0])[1]
            after = max(origin.range(0, len(part.text))[0], before)
            found.append((len(separator), Origin((Run(0, len(separator), before, after),))))
        found.append((len(part.text), origin))
    return Derived(separator.join(part.text for part in parts), join_origins(found))


def narrow(text: Derived, found: Sequence[tuple[int, int, int, int]], *, once: bool = False) -> Derived:
    """The text with each found stretch narrowed to a part of it, given as (start, end, start of the part, end of the part).

    As `str.replace` would do it, one stretch after the other: each wherever it then occurs, or `once`, at its first place.
    """
    wanted = text.text
    for start, end, a, b in found:
        wanted = wanted.replace(text.text[start:end], text.text[a:b], 1 if once else -1)
    pieces: list[Piece] = []
    done = 0
    for start, end, a, b in found:
        pieces += [(done, start), (a, b)]
        done = end
    made = text.rebuild([*pieces, (done, len(text.text))]) if found else text
    if made.text == wanted:
        return made
    made = text
    for start, end, a, b in found:  # one stretch is part of another, or came about when another was narrowed
        made = _replaced(made, text.text[start:end], a - start, b - start, once)
    return made


def _replaced(text: Derived, old: str, a: int, b: int, once: bool) -> Derived:
    """The text with `old[a:b]` in place of `old`."""
    pieces: list[Piece] = []
    done, at = 0, text.text.find(old)
    while at >= 0:
        pieces += [(done, at), (at + a, at + b)]
        done = at + len(old)
        at = -1 if once else text.text.find(old, done)
    return text.rebuild([*pieces, (done, len(text.text))])


def placed(fragment: Fragment, text: Derived) -> Fragment:
    """A fragment of the text as a fragment of the prompt."""
    if text.origin is None:
        return fragment
    return replace(fragment, origin=text.origin if fragment.origin is None else fragment.origin.through(text.origin))
