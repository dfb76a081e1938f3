"""What benchmarks/influence.py times, one function a side, and the two processes they run in.

    pooled, conditioning, masked    promptlens, all deletions of a prompt: vectors at EOS, hidden states, vectors with words hidden
    influence                       the whole of `promptlens.influence`: reading each rest of the prompt, the noise floor and the scores too
    loop                            transformers, one call for each deletion, padded to 77: gives both, EOS vector and hidden states
    batch                           the same in one call
    captum                          captum's FeatureAblation over the attention mask (it puts a baseline in place of what it takes out and
                                    cannot delete, so it is compared with `masked`): one call for each word

Sides run as their users would run them: promptlens's in a process where it imported torch, transformers' in one that imported torch itself.
The time of `loop`, `batch` and `captum` grows with the number of deletions and with nothing else, so of long prompts they run `sample`
deletions, evenly spread, and the time is scaled to all of them; promptlens always does all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from full_size import END, SIZES, Size, ids_of, prompt, reference, spread, windows, without

# Windows in the one call of `batch`: more are no faster, and 600 of them need gigabytes.
BATCH_WINDOWS = 24


@dataclass(frozen=True)
class Question:
    """One run of a side. `words`: numbers of the deletions whose results are compared."""

    side: str
    tokens: int
    threads: int
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class Reply:
    """Seconds for all deletions, and by word number (-1: the whole prompt) what came out: pooled, hidden, or a score."""

    seconds: float
    found: dict[int, dict[str, Any]] = field(default_factory=dict)


def serve(pipe: Any, ours: bool, name: str, file: str, device: str, precision: str) -> None:
    """Answer questions until there is a None."""
    sides = our_sides(name, Path(file), device, precision) if ours else their_sides(name, Path(file), device, precision)
    pipe.send(None)  # ready
    while (question := pipe.recv()) is not None:
        pipe.send(sides[question.side](question))


def our_sides(name: str, file: Path, device: str, precision: str) -> dict[str, Callable[[Question], Reply]]:
    """promptlens on the weights of a file."""
    from promptlens import influence
    from promptlens.conditionings import Ask
    from promptlens.encoder import Window, load_encoder
    from promptlens.influences._encoding import answer, pool

    size = SIZES[name]
    encoder = load_encoder(file, name, device=device, precision=precision, threads=1)
    encoders = {name: encoder}

    def started(question: Question) -> float:
        encoder.thread_count = question.threads
        encoder._bases.clear()  # as a prompt never asked before
        return time.perf_counter()

    def cases(question: Question, *, mask: bool) -> dict[int, list[Window]]:
        ids = ids_of(prompt(question.tokens))
        whole = [Window(w) for w in windows(ids, size.pad)]
        if not mask:
            return {-1: whole} | {n: [Window(w) for w in windows(without(ids, n), size.pad)] for n in range(len(ids))}
        hidden = {n: [Window(w.ids, frozenset({n % 75 + 1} if n // 75 == k else ())) for k, w in enumerate(whole)] for n in range(len(ids))}
        return {-1: whole} | hidden

    def pooled(question: Question, *, mask: bool = False) -> Reply:
        asked = cases(question, mask=mask)
        began = started(question)
        got = pool({name: [w for case in asked.values() for w in case]}, {name: asked[-1]}, encoders)
        took = time.perf_counter() - began
        return Reply(took, {n: {"projected": [got[name, w].projected for w in asked[n]]} for n in (-1, *question.words)})

    def conditioning(question: Question) -> Reply:
        asked = {n: [Ask(name, w, size.layer, size.normed) for w in case] for n, case in cases(question, mask=False).items()}
        began = started(question)
        got = answer([a for case in asked.values() for a in case], asked[-1], encoders)
        took = time.perf_counter() - began
        return Reply(took, {n: {"hidden": [got[a].hidden for a in asked[n]]} for n in (-1, *question.words)})

    def whole(question: Question) -> Reply:
        text = prompt(question.tokens)
        began = started(question)
        got = influence(text, "a1111", "sd15", encoders=encoders)
        return Reply(time.perf_counter() - began, {n: {"distance": got.scores[n]} for n in question.words})

    sides: dict[str, Callable[[Question], Reply]] = {
        "pooled": pooled,
        "conditioning": conditioning,
        "masked": lambda question: pooled(question, mask=True),
    }
    return sides | ({"influence": whole} if name == "clip-l" else {})


def their_sides(name: str, file: Path, device: str, precision: str) -> dict[str, Callable[[Question], Reply]]:
    """transformers, and captum where it is installed, on the weights that they write to the file."""
    import torch

    size = SIZES[name]
    model = reference(name, file).to(device, getattr(torch, precision))
    sides = {"loop": _loop(model, size, device), "batch": _batch(model, size, device)}
    try:
        import captum  # noqa: F401
    except ImportError:
        return sides
    return sides | {"captum": _captum(model, size, device)}


def _outputs(model: Any, size: Size, rows: list[tuple[int, ...]], device: str) -> dict[str, Any]:
    """Of each window the hidden states of the layer the diffusion model takes, and the vectors at EOS before and after the projection."""
    import torch

    out = model(torch.tensor(rows, device=device), output_hidden_states=size.layer > 1)
    last = out.last_hidden_state
    ends = last[torch.arange(len(rows), device=device), torch.tensor([row.index(END) for row in rows], device=device)]
    return {"hidden": last if size.layer == 1 else out.hidden_states[-size.layer], "pooled": ends, "projected": out.text_embeds}


def _arrays(found: dict[str, Any]) -> dict[str, Any]:
    return {what: values.float().cpu().numpy() for what, values in found.items()}


def _cases(question: Question, size: Size, count: int) -> dict[int, list[tuple[int, ...]]]:
    """The whole prompt and the deletions that are run."""
    ids = ids_of(prompt(question.tokens))
    return {-1: windows(ids, size.pad)} | {n: windows(without(ids, n), size.pad) for n in spread(count, len(ids))}


def _loop(model: Any, size: Size, device: str) -> Callable[[Question], Reply]:
    def run(question: Question) -> Reply:
        import torch

        torch.set_num_threads(question.threads)
        cases = _cases(question, size, len(question.words))
        began = time.perf_counter()
        with torch.inference_mode():
            outputs = {n: _outputs(model, size, rows, device) for n, rows in cases.items()}
            found = {n: _arrays(values) for n, values in outputs.items()}
        took = time.perf_counter() - began
        return Reply(took * (question.tokens + 1) / len(cases), found)

    return run


def _batch(model: Any, size: Size, device: str) -> Callable[[Question], Reply]:
    def run(question: Question) -> Reply:
        import torch

        torch.set_num_threads(question.threads)
        chunks = -(-question.tokens // 75)
        cases = _cases(question, size, BATCH_WINDOWS // chunks if device == "cpu" else question.tokens)
        rows = [row for case in cases.values() for row in case]
        began = time.perf_counter()
        with torch.inference_mode():
            outputs = _arrays(_outputs(model, size, rows, device))
        took = time.perf_counter() - began
        starts = dict(zip(cases, range(0, len(rows), chunks), strict=False))
        same = [n for n in (-1, *question.words) if n in cases and len(cases[n]) == chunks]
        found = {n: {what: values[starts[n] : starts[n] + chunks] for what, values in outputs.items()} for n in same}
        return Reply(took * (question.tokens + 1) / len(cases), found)

    return run


def _captum(model: Any, size: Size, device: str) -> Callable[[Question], Reply]:
    def run(question: Question) -> Reply:
        import torch
        from captum.attr import FeatureAblation

        torch.set_num_threads(question.threads)
        rows = torch.tensor(windows(ids_of(prompt(question.tokens)), size.pad), device=device)
        features = torch.zeros(1, rows.numel(), dtype=torch.long, device=device)  # 0: what is no word that is run; never hidden
        for number, word in enumerate(question.words, 1):
            features[0, word // 75 * 77 + word % 75 + 1] = number
        never = features == 0
        first: list[Any] = []

        def distance(active: Any) -> Any:
            seen = torch.where(never, 1.0, active).view(rows.shape)
            vectors = model(rows, attention_mask=seen).text_embeds.double()
            first.append(vectors)  # captum's first call hides nothing
            return (1 - torch.cosine_similarity(vectors, first[0])).sum().view(1)

        began = time.perf_counter()
        with torch.inference_mode():
            got = FeatureAblation(distance).attribute(torch.ones(1, rows.numel(), device=device), baselines=0.0, feature_mask=features)[0]
        took = time.perf_counter() - began
        scores = {w: {"distance": -float(got[features[0] == k][0])} for k, w in enumerate(question.words, 1)}
        return Reply(took * (question.tokens + 1) / len(first), scores)

    return run
