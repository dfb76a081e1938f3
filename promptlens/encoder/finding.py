"""Looking for text-encoder weights on this machine, without the net and without loading any.

In this order: the paths the user gave; weights that `promptlens encoders pull` fetched; the Hugging Face cache; the installs whose
folders are configured. A file is recognised by its header alone, so thousands are looked through in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from promptlens.encoder.catalog import BUILDS, get_build
from promptlens.encoder.files import PART, FoundWeights, projection_beside, weight_files
from promptlens.encoder.header import INDEX_SUFFIX, read_entries
from promptlens.encoder.layouts import Holding, find_holdings, is_whole
from promptlens.encoder.pickled import is_pickled
from promptlens.encoder.preview import NAME as PREVIEW
from promptlens.encoder.preview import preview_weights
from promptlens.errors import WeightsError
from promptlens.home import with_home
from promptlens.models import ENCODERS
from promptlens.places import Place, cached_snapshots, distinct, hub_cache, install_places, pulled_folder, weight_paths

Problem = Callable[[str], None]
"""Called with one line for each file that looks like weights and cannot be read."""

GIVEN = "given path"
PULLED = "fetched by promptlens"

# Names people give files and folders, for encoders that neither size nor names inside tell apart: clip_l.safetensors, clip-g/.
_NAMED = re.compile(r"clip[-_ ]?([lhg])(?![a-z0-9])", re.IGNORECASE)
_PIPELINE = {"text_encoder": "clip-l", "text_encoder_2": "clip-g"}


def find_encoders(
    *,
    paths: Sequence[str | Path] = (),
    roots: Sequence[str | Path] = (),
    cache: Path | None = None,
    pulled: Path | None = None,
    problem: Problem | None = None,
) -> list[FoundWeights]:
    """All weights found, best place first. `paths` are files or folders the user gave, `roots` folders of installs.

    `cache` and `pulled` replace the Hugging Face cache and the folder of fetched weights. Raises `WeightsError` for a given path
    that holds no text encoder.
    """
    return list(iter_encoders(paths=paths, roots=roots, cache=cache, pulled=pulled, problem=problem))


def iter_encoders(
    *,
    paths: Sequence[str | Path] = (),
    roots: Sequence[str | Path] = (),
    cache: Path | None = None,
    pulled: Path | None = None,
    problem: Problem | None = None,
) -> Iterator[FoundWeights]:
    """The same one by one: who needs only the first need not wait for the rest."""
    for path in paths:
        yield from _given(Path(path))
    seen: set[Path] = {Path(p).resolve() for p in paths}
    for place in _places(pulled or pulled_folder(), cache or hub_cache(), roots):
        for file in distinct(weight_paths(place.folder)):
            if PART in file.name and not file.name.endswith(INDEX_SUFFIX):
                continue
            if file.name.endswith(".projection.safetensors") or file.resolve() in seen:
                continue
            seen.add(file.resolve())
            try:
                yield from describe(file, place.title)
            except WeightsError as e:
                if problem is not None:
                    problem(str(e))


def choose_encoder(
    name: str,
    *,
    paths: Sequence[str | Path] = (),
    roots: Sequence[str | Path] = (),
    cache: Path | None = None,
    pulled: Path | None = None,
    only_given: bool = False,
) -> FoundWeights:
    """The best weights of one encoder. Raises `WeightsError` with the commands that get some where there are none.

    `only_given`: somebody said that the paths hold this encoder, so that no other place will do. A given pickle file counts without a
    look inside: `load_encoder` refuses it, or reads it if the user allows.
    """
    get_build(name)
    if name == PREVIEW:
        return preview_weights()
    pickles = [Path(p) for p in paths if is_pickled(Path(p))]
    given: list[FoundWeights] = []
    for found in (f for p in paths if Path(p) not in pickles for f in _given(Path(p))):
        if found.encoder == name:
            return found
        given.append(found)
    if pickles:
        return FoundWeights(name, pickles[0], "pickle file", _size(pickles[0]), "unknown", GIVEN)
    if only_given and given:
        held = ", ".join(dict.fromkeys(f.encoder for f in given))
        raise WeightsError(f"{given[0].path} is named for {name} and holds {held}. Name a file or folder that holds {name}: {name}=PATH")
    if elsewhere := next((f for f in iter_encoders(roots=roots, cache=cache, pulled=pulled) if f.encoder == name), None):
        return elsewhere
    raise no_weights(name, given)


def no_weights(name: str, given: Sequence[FoundWeights] = ()) -> WeightsError:
    """The error for a machine without weights: what is missing, the two commands that fix it, and what the user's paths hold instead."""
    held = "".join(f"\n{f.path} holds {f.encoder}." for f in given)
    return WeightsError(
        f"No weights of the text encoder {name} ({ENCODERS[name].title}) were found on this machine. Two commands fix it:\n"
        f"  pip install 'promptlens[encoder]'\n"
        f"  promptlens encoders pull {name}\n"
        f"Or name a file or folder that has them (a checkpoint will do): --encoder-path PATH{held}"
    )


def describe(file: Path, source: str) -> Iterator[FoundWeights]:
    """A record of each text encoder in one safetensors file or index. Raises `WeightsError` for a file that cannot be read."""
    for holding in find_holdings(read_entries(file)):
        encoder = holding.encoder or _named(file)
        if encoder is not None and _usable(holding):
            extra = projection_beside(file)
            size = holding.bytes + (extra.stat().st_size if holding.projection is None and extra.is_file() else 0)
            yield FoundWeights(encoder, file, _layout(holding, file), size, holding.precision, source)


def _given(path: Path) -> Iterator[FoundWeights]:
    """Records of a path the user gave: here a file that cannot be read, or holds nothing, is an error."""
    if not path.exists():
        raise WeightsError(f"{path} does not exist. Give a file or folder with text-encoder weights.")
    any_found = False
    files = list(weight_files(path))
    for file in files:
        if not is_pickled(file):
            for found in describe(file, GIVEN):
                any_found = True
                yield found
    if not any_found and path.is_dir():
        for found in (f for file in distinct(weight_paths(path)) for f in describe(file, GIVEN)):
            any_found = True
            yield found
    if not any_found and not any(is_pickled(f) for f in files):
        raise WeightsError(f"{path} holds no text encoder of a known layout (CLIP-L, OpenCLIP-H or bigG, as safetensors).")


def _places(pulled: Path, cache: Path, roots: Sequence[str | Path]) -> Iterator[Place]:
    yield Place(PULLED, pulled)
    known = {f"models--{r.repo.replace('/', '--')}" for b in BUILDS.values() for r in b.fetch}
    known |= {f"models--{ENCODERS[name].weights.replace('/', '--')}" for name in BUILDS if ENCODERS[name].weights}
    # repositories the table names come before fine-tuned models that happen to be cached
    yield from sorted(cached_snapshots(cache), key=lambda place: place.folder.parent.parent.name not in known)
    for root in roots:
        yield from install_places(with_home(root))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as e:
        raise WeightsError(f"{path} cannot be read: {e.strerror or e}.") from e


def _usable(holding: Holding) -> bool:
    return is_whole(holding) and all(part in ("fp64", "fp32", "fp16", "bf16") for part in holding.precision.split(" + "))


def _named(file: Path) -> str | None:
    """What the names of a file and the folder it is in say it is."""
    for name in (file.stem, file.parent.name):
        if match := _NAMED.search(name):
            return f"clip-{match[1].lower()}"
    return _PIPELINE.get(file.parent.name)


def _layout(holding: Holding, file: Path) -> str:
    if holding.layout == "text encoder" and (file.parent / "config.json").is_file():
        return "text encoder folder"
    return holding.layout
