"""Many windows that begin like those of one prompt, encoded in one call for each encoder and window of that prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from promptlens.conditionings import Answer, Ask, Encoders
from promptlens.encoder.windows import Window

if TYPE_CHECKING:
    from promptlens.conditionings import FloatArray
    from promptlens.encoder.interface import Progress, WindowEncoder


class Vectors(NamedTuple):
    """The pooled vector of a window, and the same after the projection, None where the weights have none."""

    pooled: FloatArray
    projected: FloatArray | None


class Counter:
    """Progress of several calls as that of one: each gets an equal share. Without somebody to tell, there is none."""

    def __init__(self, tell: Progress | None, calls: int) -> None:
        self._tell = tell
        self._calls = max(calls, 1)
        self._done = -1

    def call(self) -> Progress | None:
        """What the next call reports to."""
        self._done += 1
        tell, done, calls = self._tell, self._done, self._calls
        if tell is None:
            return None
        return lambda n, total: tell(1000 * done + 1000 * n // max(total, 1), 1000 * calls)


def answer(asks: Iterable[Ask], bases: Iterable[Ask], encoders: Encoders, progress: Progress | None = None) -> dict[Ask, Answer]:
    """Answers to all asks; what they share with one of `bases` from the start on is computed once."""
    known = list(dict.fromkeys(bases))
    groups: dict[tuple[str, int, bool, int, Window | None], dict[Ask, None]] = {}
    for ask in dict.fromkeys(asks):
        base = _nearest(ask.window, [b.window for b in known if b.encoder == ask.encoder])
        groups.setdefault((ask.encoder, ask.layer, ask.final_norm, len(ask.window.ids), base), {})[ask] = None
    counter = Counter(progress, len(groups))
    answers: dict[Ask, Answer] = {}
    for (name, layer, norm, _, base), group in groups.items():
        windows = [ask.window for ask in group]
        encoder = cast("WindowEncoder", encoders[name])
        got = encoder.encode_windows(windows, layer=layer, final_norm=norm, base=base, progress=counter.call())
        for n, ask in enumerate(group):
            answers[ask] = Answer(got.hidden[n], got.pooled[n], None if got.projected is None else got.projected[n])
    return answers


def pool(
    wanted: Mapping[str, Iterable[Window]], bases: Mapping[str, Sequence[Window]], encoders: Encoders, progress: Progress | None = None
) -> dict[tuple[str, Window], Vectors]:
    """The pooled vectors of windows by encoder; nothing after EOS is computed."""
    groups: dict[tuple[str, Window | None], dict[Window, None]] = {}
    for name, windows in wanted.items():
        for window in windows:
            groups.setdefault((name, _nearest(window, bases.get(name, ()))), {})[window] = None
    counter = Counter(progress, len(groups))
    found: dict[tuple[str, Window], Vectors] = {}
    for (name, base), group in groups.items():
        got = cast("WindowEncoder", encoders[name]).pool_windows(list(group), base=base, progress=counter.call())
        for n, window in enumerate(group):
            found[name, window] = Vectors(got.pooled[n], None if got.projected is None else got.projected[n])
    return found


def _nearest(window: Window, bases: Sequence[Window]) -> Window | None:
    """The base that a window has most in common with from the start on; BOS alone is not worth it."""
    shared, base = max(((window.shared(b), n) for n, b in enumerate(bases)), default=(0, 0), key=lambda s: (s[0], -s[1]))
    return bases[base] if shared > 1 else None
