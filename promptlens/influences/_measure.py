"""Leave-one-out: take each word out, or hide it, and measure what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, get_args

from promptlens.analysis import DEFAULT_HOST, DEFAULT_MODEL
from promptlens.conditionings import Encoders
from promptlens.errors import ConditioningError, OptionError, WeightsError
from promptlens.influences._joint import closeness
from promptlens.influences._lenses import Case, Lens, Looked, distance, look_conditioning, look_pooled
from promptlens.influences._reading import Reading, Setting, boundary_moved, read
from promptlens.influences._removal import removed_span, without
from promptlens.influences._result import Influence
from promptlens.influences._split import Split, split
from promptlens.influences._units import Unit, UnitKind, commas, units
from promptlens.models import get_model
from promptlens.spans import Span

if TYPE_CHECKING:
    from promptlens.encoder.interface import Progress

Method = Literal["delete", "mask"]

# Commas whose effect is measured for the noise floor: of more, as many evenly spread.
COMMAS = 25


def influence(
    text: str,
    host: str = DEFAULT_HOST,
    model: str = DEFAULT_MODEL,
    *,
    encoders: Encoders,
    unit: UnitKind = "word",
    lens: Lens = "pooled",
    method: Method = "delete",
    toward: str | None = None,
    against: str | None = None,
    clip_skip: int | None = None,
    until_step: int | None = None,
    part: int = 0,
    progress: Progress | None = None,
    **options: Any,
) -> Influence:
    """How much each word (or tag) of a prompt changes what the text encoders give.

    `lens`: "pooled", the sum over windows of 1 - cos of the vectors at EOS, or "conditioning", ||c' - c|| / ||c|| of what the diffusion
    model receives. `method`: "delete" takes the word out of the text and reads again, "mask" hides its positions from attention and moves
    nothing. The noise floor is the median effect of the same done to those commas that move no boundary; where there is none, of a comma
    put at the end of the prompt.
    `toward` is a text that words may pull to, `against` another prompt that they may set this one apart from. `encoders` and all others
    are as in `conditioning`; `progress` is called with (done, of) as it goes. Raises a child of `PromptLensError`.
    """
    check_choice("unit", unit, get_args(UnitKind))
    check_choice("lens", lens, get_args(Lens))
    check_choice("method", method, get_args(Method))
    setting = make_setting(host, model, encoders, clip_skip, until_step, part, options)
    whole = read(setting, text)
    found = units(whole, unit)
    taken = [_taken_out(whole, u.span, method) for u in found]
    floor = _comma_cases(whole, method)
    added = floor[0].reading.usage.prompt == f"{text},"
    others = [Case(read(setting, against))] if against is not None else []
    seen = _look(setting, lens, [Case(whole), *(t.case for t in taken if t.case), *floor, *others], progress)
    looks = iter(seen[1:])
    changed = [next(looks) if t.case else None for t in taken]
    noise = [distance(setting, whole, seen[0], next(looks)).all for _ in floor]
    measured = _Measured(setting, whole, found, seen[0], changed, next(looks, None))
    cosines = None if toward is None else closeness(setting, read(setting, toward), [Case(whole), *(t.case or Case(whole) for t in taken)])
    distances = [None if c is None else distance(setting, whole, seen[0], c) for c in changed]
    return Influence(
        prompt=text,
        host=host,
        model=model,
        unit=unit,
        lens=lens,
        method=method,
        spans=tuple(u.span for u in found),
        labels=tuple(u.label for u in found),
        scores=tuple(_NAN if d is None else d.all for d in distances),
        by_encoder={
            e.name: tuple(_NAN if d is None else d.by_encoder[n] for d in distances) for n, e in enumerate(whole.usage.model.encoders)
        },
        noise_floor=float(median(noise)),
        noise_commas=0 if added else len(floor),
        moved=tuple(t.moved for t in taken),
        lost=tuple(u.lost for u in found),
        tokens=tuple(u.tokens for u in found),
        split=measured.splits(),
        toward=None if cosines is None else tuple(cosines[0] - c for c in cosines[1:]),
        toward_cosine=None if cosines is None else cosines[0],
        against=measured.against(),
        against_distance=measured.apart(),
    )


_NAN = float("nan")


def make_setting(
    host: str, model: str, encoders: Encoders, clip_skip: int | None, until_step: int | None, part: int, options: dict[str, Any]
) -> Setting:
    """A setting whose encoders are all there."""
    missing = [e.name for e in get_model(model).encoders if e.name not in encoders]
    if missing:
        raise WeightsError(f"{model} needs {' and '.join(missing)}. Give encoders={{{missing[0]!r}: load_encoder(...)}}.")
    return Setting(host, model, encoders, clip_skip, until_step, part, options)


def check_choice(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise OptionError(f"{name} must be {' or '.join(map(repr, known))}, not {value!r}.")


@dataclass(frozen=True, slots=True, eq=False)
class _TakenOut:
    """The prompt without a word; no case where the host fails on that."""

    case: Case | None
    moved: bool


def _taken_out(whole: Reading, span: Span, method: Method) -> _TakenOut:
    if method == "mask":
        return _TakenOut(Case(whole, (span,)), False)
    text = whole.usage.prompt
    removed = removed_span(text, span, _covered(whole))
    try:
        rest = read(whole.setting, without(text, removed))
    except ConditioningError:
        return _TakenOut(None, False)
    return _TakenOut(Case(rest), boundary_moved(whole, rest, removed))


def _covered(whole: Reading) -> list[Span]:
    """Spans of all tokens, those of texts that are not measured too."""
    return [t.span for line in whole.usage.lines for t in line.encoders[0].tokens]


def _comma_cases(whole: Reading, method: Method) -> list[Case]:
    """The prompt without each comma. A boundary that moves is no noise, so those commas are left out; with none left, one is added."""
    text = whole.usage.prompt
    spans = commas(whole, COMMAS)
    if method == "mask":
        cases = [Case(whole, (span,)) for span in spans]
    else:
        rests = [(span, read(whole.setting, without(text, span))) for span in spans]
        cases = [Case(rest) for span, rest in rests if not boundary_moved(whole, rest, span)]
    return cases or [Case(read(whole.setting, f"{text},"))]


def _look(setting: Setting, lens: Lens, cases: Sequence[Case], progress: Progress | None) -> list[Looked]:
    return (look_pooled if lens == "pooled" else look_conditioning)(setting, cases, progress)


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """What was seen of the prompt, of it without each unit, and of the other prompt."""

    setting: Setting
    whole: Reading
    units: Sequence[Unit]
    seen: Looked
    changed: Sequence[Looked | None]
    other: Looked | None

    def splits(self) -> tuple[Split | None, ...]:
        pairs = zip(self.units, self.changed, strict=True)
        return tuple(None if c is None else split(self.setting, self.whole, self.seen, c, u.span) for u, c in pairs)

    def apart(self) -> float | None:
        """Distance of the prompt from the other one."""
        return None if self.other is None else distance(self.setting, self.whole, self.other, self.seen).all

    def against(self) -> tuple[float, ...] | None:
        """How much nearer the prompt comes to the other one without each unit."""
        if self.other is None:
            return None
        apart = distance(self.setting, self.whole, self.other, self.seen).all
        return tuple(_NAN if c is None else apart - distance(self.setting, self.whole, self.other, c).all for c in self.changed)
