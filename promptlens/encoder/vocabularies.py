"""`promptlens encoders pull t5-xxl`: the vocabulary that SD3, Flux and others read with, and nothing of the 10 GB behind it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from promptlens.encoder.catalog import T5_VOCABULARY
from promptlens.encoder.fetching import Pause, Progress, fetch, whole
from promptlens.encoder.hub import Hub, RefusedError, RemoteFile
from promptlens.encoder.pulling import Note
from promptlens.errors import VocabularyError, WeightsError
from promptlens.places import pulled_folder
from promptlens.t5_files import PULLED_FILE
from promptlens.unigram import load_tokenizer


def pull_vocabulary(
    *,
    folder: Path | None = None,
    endpoint: str | None = None,
    token: str | None = None,
    again: bool = False,
    progress: Progress | None = None,
    note: Note | None = None,
    pause: Pause = time.sleep,
) -> Path:
    """Fetch T5's tokenizer.json, unless it is there (`again` fetches it anyway), and say where it is.

    Raises `WeightsError` with the reason and the way out; a broken pull goes on where it stopped the next time.
    """
    target = (folder or pulled_folder()) / PULLED_FILE
    if target.exists() and not again:
        return target
    hub = Hub(endpoint=endpoint, token=token)
    refusals: list[str] = []
    for remote in T5_VOCABULARY:
        try:
            file = hub.look_up(remote)
            if note is not None:
                note(f"Fetching T5's vocabulary from {file.title}: {file.size / 1e6:,.1f} MB")
            fetch(hub, whole(file), target, check=partial(_must_read, file), progress=progress, pause=pause)
        except RefusedError as error:
            refusals.append(str(error))
            continue
        return target
    raise WeightsError("\n".join(["No place that is known to hold T5's vocabulary gave it:", *(f"  {line}" for line in refusals)]))


def _must_read(file: RemoteFile, path: Path) -> None:
    """Raise where a fetched file is not what it should be."""
    try:
        load_tokenizer.__wrapped__(path)
    except VocabularyError:
        raise WeightsError(
            f"{file.title} came, but it is not T5's vocabulary. Name a tokenizer.json of FLUX.1 or SD3: --tokenizer FILE"
        ) from None
