"""Leave-one-out: take each word out, or hide it, and measure what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, get_args

from promptlens.analysis import DEFAULT_HOST, DEFAULT_MODEL
from promptlens.conditionings import CONDITIONERS, Encoders, check_model
from promptlens.encoder.preview import NAME as PREVIEW
from promptlens.errors import ConditioningError, OptionError, WeightsError
from promptlens.influences._joint import closeness
from promptlens.influences._lenses import Case, Lens, Looked, distance, look_conditioning, look_pooled
from promptlens.influences._precision import precision_of
from promptlens.influences._reading import Reading, Setting, boundary_moved, read, run_encoders, run_numbers
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
    if toward is not None and not toward.strip():
        raise OptionError("toward is empty: give the text that words may pull the prompt to, or leave it out.")
    setting = make_setting(host, model, encoders, clip_skip, until_step, part, options)
    whole = read(setting, text)
    found = units(whole, unit)
    taken = [_taken_out(whole, u.span, method) for u in found]
    floor = _comma_cases(whole, method)
    others = [Case(read(setting, against))] if against is not None else []
    approximate = any(getattr(encoders[e.name], "name", "") == PREVIEW for e in whole.encoders)
    if approximate and lens == "conditioning":
        raise WeightsError("The preview encoder approximates the pooled vector alone: take --lens pooled, or real weights for this lens.")
    first, *rest = _look(setting, lens, [Case(whole), *others], [t.case for t in taken if t.case] + floor.cases, progress)
    assert first is not None  # it is needed
    looks = iter(rest)
    other = next(looks) if others else None
    changed = [next(looks) if t.case else None for t in taken]
    noise = [distance(setting, whole, first, look).all for look in looks if look]
    measured = _Measured(setting, whole, found, first, changed, other)
    cosines = None if toward is None else closeness(setting, read(setting, toward), [Case(whole), *(t.case or Case(whole) for t in taken)])
    distances = [None if c is None else distance(setting, whole, first, c) for c in changed]
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
        by_encoder={e.name: tuple(_NAN if d is None else d.by_encoder[n] for d in distances) for n, e in enumerate(whole.encoders)},
        noise_floor=float(median(noise)) if noise else _NAN,
        noise_commas=0 if floor.added else len(noise),
        left_out=tuple(e.name for e in whole.usage.model.encoders if e not in whole.encoders),
        moved=tuple(t.moved for t in taken),
        lost=tuple(u.lost for u in found),
        tokens=tuple(u.tokens for u in found),
        split=measured.splits(),
        toward=None if cosines is None else tuple(cosines[0] - c for c in cosines[1:]),
        toward_cosine=None if cosines is None else cosines[0],
        against=measured.against(),
        against_distance=measured.apart(),
        approximate=approximate,
        precision=precision_of(encoders[e.name] for e in whole.encoders),
    )


_NAN = float("nan")


def check_lens(lens: str, host: str, model: str) -> None:
    """Raise a child of `PromptLensError` where a lens cannot be had for a host and a model, whatever the encoders."""
    check_choice("lens", lens, get_args(Lens))
    run_encoders(model)
    if lens == "conditioning":
        check_model(get_model(model))
        _ = CONDITIONERS[host]


def make_setting(
    host: str, model: str, encoders: Encoders, clip_skip: int | None, until_step: int | None, part: int, options: dict[str, Any]
) -> Setting:
    """A setting whose encoders are all there, as far as they are run."""
    row = get_model(model)
    missing = [name for n in run_numbers(row) if (name := row.encoders[n].name) not in encoders]
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
    rest = _read(whole.setting, without(text, removed))
    return _TakenOut(Case(rest), boundary_moved(whole, rest, removed)) if rest else _TakenOut(None, False)


def _read(setting: Setting, text: str) -> Reading | None:
    """A prompt, or None where the host fails on it."""
    try:
        return read(setting, text)
    except ConditioningError:
        return None


def _covered(whole: Reading) -> list[Span]:
    """Spans of all tokens, those of texts that are not measured too."""
    return [t.span for line in whole.usage.lines for t in line.encoders[whole.numbers[0]].tokens]


@dataclass(frozen=True, slots=True, eq=False)
class _Floor:
    """The prompt without each of its commas, or with one `added`."""

    cases: list[Case]
    added: bool


def _comma_cases(whole: Reading, method: Method) -> _Floor:
    """A boundary that moves is no noise, so commas that move one are left out; with none left, one is added."""
    text = whole.usage.prompt
    spans = commas(whole, COMMAS)
    if method == "mask":
        cases = [Case(whole, (span,)) for span in spans]
    else:
        rests = [(span, _read(whole.setting, without(text, span))) for span in spans]
        cases = [Case(rest) for span, rest in rests if rest and not boundary_moved(whole, rest, span)]
    return _Floor(cases, False) if cases else _Floor(list(_with_comma(whole)), True)


def _with_comma(whole: Reading) -> Iterator[Case]:
    """The prompt with a comma more: at its end, or after its middle word where the host tidies the end."""
    text = whole.usage.prompt
    ends = [t.span.end for t in whole.tokens()]
    for place in (len(text), *ends[len(ends) // 2 :], *ends):
        rest = _read(whole.setting, f"{text[:place]},{text[place:]}")
        if rest and len(rest.ids) == len(whole.ids) and rest.ids != whole.ids:
            yield Case(rest)
            return


def _look(setting: Setting, lens: Lens, needed: Sequence[Case], others: Sequence[Case], progress: Progress | None) -> list[Looked | None]:
    """What the lens sees of all of them; None for one of `others` that the host fails on."""
    if lens == "pooled":
        return list(look_pooled(setting, [*needed, *others], progress))
    return look_conditioning(setting, [*needed, *others], progress, needed=len(needed))


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
