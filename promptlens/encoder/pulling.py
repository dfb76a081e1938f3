"""`promptlens encoders pull`: the weights of one text encoder, and nothing else, from the hub into the user's data folder.

For each encoder catalog.py names places, the smallest faithful one first; the next is asked where one does not have the file. Of a file
that holds a picture model too only the text encoder's tensors are fetched: its header says where they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from promptlens.encoder.catalog import Build, Remote, get_build
from promptlens.encoder.fetching import Pause, Plan, Progress, fetch, read_stretch, whole
from promptlens.encoder.files import FoundWeights, projection_beside
from promptlens.encoder.finding import PULLED, describe
from promptlens.encoder.header import HEADER_LIMIT, Entries, parse_header, read_entries
from promptlens.encoder.hub import Hub, RefusedError, RemoteFile
from promptlens.encoder.layouts import find_holdings
from promptlens.errors import WeightsError
from promptlens.places import pulled_folder

Note = Callable[[str], None]
"""Called with a line on what is being done."""


def pull(
    name: str,
    *,
    folder: Path | None = None,
    endpoint: str | None = None,
    token: str | None = None,
    again: bool = False,
    progress: Progress | None = None,
    note: Note | None = None,
    pause: Pause = time.sleep,
) -> FoundWeights:
    """Fetch the weights of encoder `name`, unless they are there (`again` fetches them anyway), and say where they are.

    Raises `WeightsError` with the reason and the way out; a broken pull goes on where it stopped the next time.
    """
    build = get_build(name)
    target = (folder or pulled_folder()) / f"{name}.safetensors"
    say = note or (lambda line: None)
    if again or not target.exists():
        hub = Hub(endpoint=endpoint, token=token)
        _first(hub, build, target, progress, say, pause)
        if build.projection is not None and _lacks_projection(target):
            _add_projection(hub, build.projection, target, say, pause)
    found = next((f for f in describe(target, PULLED) if f.encoder == name), None)
    if found is None:
        raise WeightsError(f"{target} does not hold {name}. Delete it and pull again.")
    return found


def _first(hub: Hub, build: Build, target: Path, progress: Progress | None, say: Note, pause: Pause) -> None:
    """Fetch from the first place that has the file."""
    refusals: list[str] = []
    for remote in build.fetch:
        try:
            file = hub.look_up(remote)
            plan = whole(file) if remote.take == "file" else text_plan(hub, file, build.name)
            say(f"Fetching {build.name} from {file.title}: {plan.size / 1e6:,.0f} MB")
            fetch(hub, plan, target, check=partial(_must_hold, build.name, file), progress=progress, pause=pause)
        except RefusedError as e:
            refusals.append(str(e))
            continue
        return
    raise WeightsError("\n".join([f"No place that is known to hold {build.name} gave it:", *(f"  {line}" for line in refusals)]))


def _must_hold(name: str, file: RemoteFile, path: Path) -> None:
    """Raise where a fetched file is no safetensors file, or does not hold the encoder."""
    if not any(h.encoder in (None, name) for h in find_holdings(read_entries(path))):
        raise WeightsError(f"{file.title} does not hold {name}. Name weights you have: --encoder-path PATH")


def _lacks_projection(target: Path) -> bool:
    return all(h.projection is None for h in find_holdings(read_entries(target)))


def _add_projection(hub: Hub, remote: Remote, target: Path, say: Note, pause: Pause) -> None:
    """The matrix into the space shared with pictures, in a small file beside. Encoding does without it; so does this, if need be."""
    beside = projection_beside(target)
    try:
        file = hub.look_up(remote)
        plan = tensors_plan(file, _remote_entries(hub, file), ["text_projection.weight"])
        say(f"Fetching its projection from {file.title}: {plan.size / 1e6:,.1f} MB")
        fetch(hub, plan, beside, check=_read_header, pause=pause)
    except WeightsError as e:
        say(f"The projection into the space shared with pictures was not fetched, so similarity does without it. {e}")


def _read_header(path: Path) -> None:
    read_entries(path)


def text_plan(hub: Hub, file: RemoteFile, name: str) -> Plan:
    """A plan for the tensors of one text encoder of a remote file. Raises `WeightsError` where the file does not hold it."""
    entries = _remote_entries(hub, file)
    holding = next((h for h in find_holdings(entries) if h.encoder in (None, name)), None)
    if holding is None:
        raise WeightsError(f"{file.title} does not hold {name}. Name weights you have: --encoder-path PATH")
    return tensors_plan(file, entries, [*holding.names, *([holding.projection] if holding.projection else [])])


def tensors_plan(file: RemoteFile, entries: Entries, names: list[str]) -> Plan:
    """A plan that writes a safetensors file of some of the tensors of a remote one: a new header, then the stretches they lie in."""
    missing = [n for n in names if n not in entries]
    if missing:
        raise WeightsError(f"{file.title} has no tensor {missing[0]}.")
    wanted = sorted((entries[n] for n in names), key=lambda e: e.start)
    header: dict[str, object] = {"__metadata__": {"format": "pt", "source": f"{file.title}@{file.commit or file.remote.revision}"}}
    runs: list[tuple[int, int]] = []
    offset = 0
    for entry in wanted:
        header[entry.name] = {"dtype": entry.dtype, "shape": entry.shape, "data_offsets": [offset, offset + entry.bytes]}
        offset += entry.bytes
        if runs and runs[-1][1] == entry.start:
            runs[-1] = (runs[-1][0], entry.end)
        else:
            runs.append((entry.start, entry.end))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8, as the format asks
    return Plan(file, tuple(runs), len(text).to_bytes(8, "little") + text)


def _remote_entries(hub: Hub, file: RemoteFile) -> Entries:
    """The header of a remote safetensors file, by two small requests."""
    where = Path(file.title)
    length = int.from_bytes(read_stretch(hub, file, 0, 8), "little") if file.size >= 8 else 0
    if not 2 <= length <= min(HEADER_LIMIT, file.size - 8):
        raise WeightsError(f"{file.title} is not a safetensors file.")
    return parse_header(read_stretch(hub, file, 8, 8 + length), where)
