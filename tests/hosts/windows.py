"""Short ways to say what a host's windows hold, for tables."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from promptlens import analyze
from promptlens.hosts import EncoderUse
from promptlens.vocab import SIZE, load


def words(count: int) -> str:
    """So many words of one token each."""
    return " ".join(["cat"] * count)


def use(prompt: str, host: str, model: str = "sd15", encoder: int = 0, **options: Any) -> EncoderUse:
    """What one encoder gets of the counted line."""
    return analyze(prompt, host=host, model=model, **options).usage.encoders[encoder]


def sizes(use: EncoderUse) -> str:
    """Tokens of the prompt in each chunk, from the ids as they are sent: "61|20"."""
    for chunk in use.chunks:
        assert chunk.ids[0] == use.encoder.bos
        assert chunk.ids[1 + chunk.used] == use.encoder.eos
    return "|".join(str(chunk.used) for chunk in use.chunks)


def piece(token_id: int) -> str:
    return load("clip").piece(token_id).removesuffix("</w>") if 0 <= token_id < SIZE else f"<{token_id}>"


def said(use: EncoderUse) -> str:
    """The pieces in each chunk: "a cat | dog"."""
    return " | ".join(" ".join(map(piece, chunk.ids[1 : 1 + chunk.used])) for chunk in use.chunks)


def weighed(use: EncoderUse) -> str:
    """The same with weights other than 1, neighbours of one weight together: "a · red cat 1.2 · dog"."""
    chunks = []
    for chunk in use.chunks:
        pairs = zip(chunk.ids[1 : 1 + chunk.used], chunk.weights[1:], strict=False)
        runs = [(weight, " ".join(piece(i) for i, _ in run)) for weight, run in groupby(pairs, key=lambda pair: f"{pair[1]:.4g}")]
        chunks.append(" · ".join(text if weight == "1" else f"{text} {weight}" for weight, text in runs))
        assert chunk.weights[0] == 1
        assert set(chunk.weights[1 + chunk.used :]) == {1.0}
    return " | ".join(chunks)
