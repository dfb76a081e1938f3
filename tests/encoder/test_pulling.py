"""Fetching weights from a hub that works, breaks, refuses and lies."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from loopback_hub import COMMIT, FakeHub, serve
from made_files import filled, open_clip_shapes, tensor_bytes, transformers_shapes

from promptlens.encoder import FoundWeights, fetching, pull
from promptlens.encoder.catalog import BUILDS
from promptlens.encoder.header import read_entries
from promptlens.errors import UnknownNameError, WeightsError
from promptlens.models import ENCODERS

# All that is not the words, so that a file stays small; the vocabulary is what a text encoder is known by.
TEXT = transformers_shapes(width=16)
SMALL = filled(TEXT)
PROJECTION = {"text_projection.weight": (16, 16)}
PICTURES = {"vision_model.embeddings.weight": (999, 99)}
WHOLE_CLIP = filled({"logit_scale": ()} | TEXT | PROJECTION | PICTURES, "F32")
L1, L2, L3 = (f"{r.repo}/{r.file}" for r in BUILDS["clip-l"].fetch)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("PROMPTLENS_ENCODERS", str(tmp_path / "encoders"))


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serve(FakeHub(files={L1: SMALL, L3: WHOLE_CLIP})) as running:
        yield running


def no_pause(_seconds: float) -> None:
    """Tests do not wait."""


def fetch_l(hub: FakeHub, **options: Any) -> FoundWeights:
    return pull("clip-l", endpoint=hub.endpoint, token="", **({"pause": no_pause} | options))


def left_behind(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / "encoders").glob("*"))


def failing(hub: FakeHub, **options: Any) -> str:
    with pytest.raises(WeightsError) as caught:
        fetch_l(hub, **options)
    return str(caught.value)


# ---------------------------------------------------------------------------------------------- when all goes well


def test_the_smallest_file_and_its_projection(hub: FakeHub, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    notes: list[str] = []
    found = fetch_l(hub, progress=lambda here, total: steps.append((here, total)), note=notes.append)
    assert found.path == tmp_path / "encoders" / "clip-l.safetensors"
    assert (found.encoder, found.precision, found.source) == ("clip-l", "fp16", "fetched by promptlens")
    assert found.path.read_bytes() == SMALL
    assert steps[-1] == (len(SMALL), len(SMALL))
    assert [here for here, _ in steps] == sorted(here for here, _ in steps)
    assert "comfyanonymous/flux_text_encoders/clip_l.safetensors" in notes[0]
    beside = found.path.with_name("clip-l.projection.safetensors").read_bytes()
    assert tensor_bytes(beside, PROJECTION) == tensor_bytes(WHOLE_CLIP, PROJECTION)
    assert left_behind(tmp_path) == ["clip-l.projection.safetensors", "clip-l.safetensors"]


def test_of_a_large_file_only_the_text_encoder_is_fetched(hub: FakeHub) -> None:
    del hub.files[L1]
    found = fetch_l(hub)
    content = found.path.read_bytes()
    assert set(read_entries(found.path)) == {*TEXT, *PROJECTION}
    assert tensor_bytes(content, [*TEXT, *PROJECTION]) == tensor_bytes(WHOLE_CLIP, [*TEXT, *PROJECTION])
    assert f"{L3}@{COMMIT}" in content[: int.from_bytes(content[:8], "little")].decode()
    asked = [tuple(map(int, r.range.removeprefix("bytes=").split("-"))) for r in hub.gets()]
    fetched = sum(end + 1 - start for start, end in asked)
    assert fetched < len(WHOLE_CLIP) - 4 * 999 * 99


def test_tensors_that_do_not_lie_together(hub: FakeHub) -> None:
    mixed: dict[str, tuple[int, ...]] = {}
    for n, (name, shape) in enumerate(TEXT.items()):
        mixed |= {name: shape, f"vision_model.{n}": (n + 1,)}
    del hub.files[L1]
    hub.files[L3] = filled(mixed)
    assert tensor_bytes(fetch_l(hub).path.read_bytes(), TEXT) == tensor_bytes(hub.files[L3], TEXT)


def test_a_second_pull_fetches_nothing(hub: FakeHub) -> None:
    first = fetch_l(hub)
    hub.requests.clear()
    assert fetch_l(hub) == first
    assert hub.requests == []
    hub.files[L1] = filled(transformers_shapes(width=16), "F32")
    assert fetch_l(hub, again=True).precision == "fp32"


def test_small_files_that_the_hub_answers_itself(hub: FakeHub) -> None:
    hub.direct = True
    assert fetch_l(hub).path.read_bytes() == SMALL


def test_the_other_encoders(hub: FakeHub) -> None:
    for name in ("clip-h", "clip-g"):
        remote = BUILDS[name].fetch[0]
        hub.files[f"{remote.repo}/{remote.file}"] = filled(open_clip_shapes("", width=16) | {"visual.proj": (5, 5)})
        found = pull(name, endpoint=hub.endpoint, token="", pause=no_pause)
        assert found.path.name == f"{name}.safetensors"
        assert ("visual.proj" in read_entries(found.path)) == (remote.take == "file")


def test_the_environment_names_mirror_and_token(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint + "/")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pull("clip-l", pause=no_pause)
    assert {r.token for r in hub.requests if "/resolve/" in r.path} == {"Bearer hf_secret"}
    assert {r.token for r in hub.requests if r.path.startswith("/storage/")} == {""}


def test_a_proxy_is_used(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", hub.endpoint)
    pull("clip-l", endpoint="http://hub.invalid", token="", pause=no_pause)
    assert hub.requests[0].path == f"http://hub.invalid/{L1.replace('/clip_l', '/resolve/main/clip_l')}"


# ---------------------------------------------------------------------------------------------- when the line breaks


def test_a_cut_connection_goes_on_where_it_stopped(hub: FakeHub) -> None:
    hub.cut_after = [300_000, 500_000]
    pauses: list[float] = []
    assert fetch_l(hub, pause=pauses.append).path.read_bytes() == SMALL
    starts = [r.range for r in hub.gets() if L1 in r.path]
    assert starts == ["", f"bytes=300000-{len(SMALL) - 1}", f"bytes=800000-{len(SMALL) - 1}"]
    assert pauses == [1.0, 1.0]


def test_the_next_pull_goes_on_where_this_one_stopped(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_after = [400_000]

    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_l(hub, pause=stop)
    (rest,) = left_behind(tmp_path)
    assert rest.endswith(".incomplete")
    hub.requests.clear()
    assert fetch_l(hub).path.read_bytes() == SMALL
    assert hub.gets()[0].range == f"bytes=400000-{len(SMALL) - 1}"
    assert not [name for name in left_behind(tmp_path) if "incomplete" in name]


def test_stretches_are_gone_on_with_too(hub: FakeHub) -> None:
    del hub.files[L1]
    hub.cut_after = [2_000_000, 100_000]
    assert tensor_bytes(fetch_l(hub).path.read_bytes(), TEXT) == tensor_bytes(WHOLE_CLIP, TEXT)


def test_a_rest_of_another_version_is_not_gone_on_with(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_after = [400_000]
    with pytest.raises(ZeroDivisionError):
        fetch_l(hub, pause=lambda _seconds: 1 / 0)
    hub.files[L1] = filled(TEXT, "F32")
    assert fetch_l(hub).path.read_bytes() == hub.files[L1]
    assert not [name for name in left_behind(tmp_path) if "incomplete" in name]


def test_a_server_without_ranges_is_read_through(hub: FakeHub) -> None:
    hub.ranges = False
    hub.cut_after = [300_000]
    assert fetch_l(hub).path.read_bytes() == SMALL


def test_a_server_in_trouble_is_asked_again(hub: FakeHub) -> None:
    hub.trouble = [503, 500]
    pauses: list[float] = []
    assert fetch_l(hub, pause=pauses.append).path.read_bytes() == SMALL
    assert pauses == [1.0, 2.0]


def test_a_line_that_stays_broken_gives_up_and_keeps_what_came(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_after = [1_200_000]
    pauses: list[float] = []

    def no_more(seconds: float) -> None:
        pauses.append(seconds)
        hub.trouble = [503]

    message = failing(hub, pause=no_more)
    assert "1.2 of 1.6 MB are here, and 5 attempts brought nothing more" in message
    assert "(503): the server is in trouble" in message
    assert "Pull again to go on" in message
    assert pauses == [1.0, 2.0, 4.0, 8.0]
    assert [n for n in left_behind(tmp_path) if not n.endswith(".incomplete")] == []


def test_nobody_answers(tmp_path: Path) -> None:
    with serve(FakeHub()) as gone:
        pass
    message = failing(gone)
    assert f"127.0.0.1:{gone.port} cannot be reached" in message
    assert "HTTPS_PROXY" in message
    assert left_behind(tmp_path) == []


def test_offline_by_wish(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in failing(hub)
    assert hub.requests == []


# ---------------------------------------------------------------------------------------------- when the hub says no


def test_the_next_place_is_asked_when_one_has_no_such_file(hub: FakeHub) -> None:
    hub.files[L2] = hub.files.pop(L1)
    assert fetch_l(hub).path.read_bytes() == SMALL


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "has no clip_l.safetensors"), (401, "`hf auth login` or set HF_TOKEN"), (403, "Accept its conditions at ")],
)
def test_refusals_say_which_and_what_to_do(hub: FakeHub, tmp_path: Path, status: int, words: str) -> None:
    hub.refuse_all = status
    message = failing(hub)
    assert message.startswith("No place that is known to hold clip-l gave it:")
    assert words in message
    assert message.count(str(status)) >= len(BUILDS["clip-l"].fetch)
    assert left_behind(tmp_path) == []


def test_too_many_requests(hub: FakeHub) -> None:
    hub.refuse_all = 429
    assert "Wait a few minutes" in failing(hub)


def test_a_wrong_checksum_is_thrown_away(hub: FakeHub, tmp_path: Path) -> None:
    hub.stated_sha256[L1] = "ab" * 32
    message = failing(hub)
    assert "wrong checksum" in message
    assert "instead of abababababab" in message
    assert left_behind(tmp_path) == []


def test_an_old_file_survives_a_bad_new_one(hub: FakeHub) -> None:
    before = fetch_l(hub).path
    hub.stated_sha256[L1] = "ab" * 32
    assert "wrong checksum" in failing(hub, again=True)
    assert before.read_bytes() == SMALL


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"<html>sign in to the hotel's net</html>", "not a safetensors file"), (filled({"lora.weight": (4, 4)}), "does not hold clip-l")],
    ids=["a web page", "something else"],
)
def test_a_file_that_is_something_else_is_thrown_away(hub: FakeHub, tmp_path: Path, content: bytes, words: str) -> None:
    hub.files = {L1: content}
    assert words in failing(hub)
    assert left_behind(tmp_path) == []


def test_without_a_projection_the_rest_still_counts(hub: FakeHub, tmp_path: Path) -> None:
    del hub.files[L3]
    notes: list[str] = []
    assert fetch_l(hub, note=notes.append).path.read_bytes() == SMALL
    assert "similarity does without it" in notes[-1]
    assert left_behind(tmp_path) == ["clip-l.safetensors"]


def test_an_unknown_encoder(hub: FakeHub) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'clip-l'"):
        pull("clip-m", endpoint=hub.endpoint)


# ---------------------------------------------------------------------------------------------- when the disk is full


def test_too_little_room_is_told_before_anything_is_fetched(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=len(SMALL) - 1))
    message = failing(hub)
    assert "is full: 2 MB are needed in all" in message
    assert hub.gets() == []
    assert "clip-l.safetensors" not in left_behind(tmp_path)


def test_a_disk_that_fills_up_meanwhile(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    class Filling:
        """A file on a disk with room for 700,000 bytes."""

        def __init__(self, file: IO[bytes]) -> None:
            self._file = file

        def write(self, content: bytes) -> int:
            if self._file.tell() + len(content) > 700_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._file.write(content)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def __enter__(self) -> Filling:
            return self

        def __exit__(self, *_args: object) -> None:
            self._file.close()

    def open_on_a_small_disk(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        file: Any = opened(path, mode, *args, **options)
        return Filling(file) if mode == "ab" else file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_on_a_small_disk)
        patch.setattr(fetching, "CHUNK", 100_000)
        message = failing(hub)
    assert "is full" in message
    assert "PROMPTLENS_ENCODERS" in message
    assert [n for n in left_behind(tmp_path) if not n.endswith(".incomplete")] == []
    hub.requests.clear()
    assert fetch_l(hub).path.read_bytes() == SMALL
    assert hub.gets()[0].range == f"bytes=700000-{len(SMALL) - 1}"


def test_a_folder_that_cannot_be_written(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "encoders").write_text("a file where the folder should be")
    assert "cannot be written" in failing(hub)


def test_two_pulls_at_once(hub: FakeHub, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    second: list[str] = []

    def meanwhile(_here: int, _total: int) -> None:
        if not second:
            second.append(failing(hub))

    fetch_l(hub, progress=meanwhile)
    assert "another process already" in second[0]


def test_every_encoder_has_a_place_to_be_fetched_from() -> None:
    assert set(BUILDS) == {e.name for e in ENCODERS.values() if e.vocabulary == "clip"}
    for build in (b for b in BUILDS.values() if b.name != "preview"):  # which comes with the package
        for remote in (*build.fetch, *([build.projection] if build.projection else [])):
            assert remote.file.endswith(".safetensors")
            assert remote.repo.count("/") == 1
        assert build.fetch[0].take in ("file", "text")
