"""The Influence pane: what it shows when, and what it says when something is missing or breaks."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from answers import influence
from driving import drive_pane, until
from textual.pilot import Pilot

import promptlens
from promptlens.errors import WeightsError
from promptlens.render._runs import Run
from promptlens.spans import Span
from promptlens.tui import encoder_pane
from promptlens.tui.app import PromptLensApp
from promptlens.tui.encoding import Encoding, Message
from promptlens.tui.heat_strip import heat_runs, mark_row
from promptlens.tui.influence_pane import InfluencePane
from promptlens.tui.key_names import with_keys
from promptlens.weights import Weights

PATIENCE_S = 60
Drive = Callable[[PromptLensApp, InfluencePane, Pilot[None]], Awaitable[None]]


class Held(Encoding):
    """Answers when it is told to; `late`: also to a question that was taken back."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__()
        self.late = late
        self.asked: list[Message] = []
        self.gates: list[asyncio.Event] = []

    async def ask(self, question: Message, progress: Any = None) -> Message:
        gate = asyncio.Event()
        self.asked.append(question)
        self.gates.append(gate)
        try:
            await gate.wait()
        except asyncio.CancelledError:
            if not self.late:
                raise
            await gate.wait()
        return influence(question)


class Failing(Encoding):
    async def ask(self, question: Message, progress: Any = None) -> Message:
        raise WeightsError("No weights of [clip-g] were found.\n  promptlens encoders pull clip-g")


def drive(act: Drive, text: str = "", encoding: Encoding | None = None, size: tuple[int, int] = (120, 36), negative: str = "") -> None:
    drive_pane(InfluencePane, act, text, negative, size=size, encoding=encoding)


def head(pane: InfluencePane) -> str:
    return str(pane.head.render())


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of the keyboard are short here."""
    monkeypatch.setattr(encoder_pane, "CALM_S", 0.01)


def test_an_answer_is_shown_then_dimmed_and_labelled_then_replaced() -> None:
    held = Held()

    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        await pilot.press("f9")
        await until(pilot, lambda: held.gates)
        held.gates[0].set()
        await until(pilot, lambda: pane.answered)
        assert [e.cells[2].text for e in pane.ranking.entries] == ["red", "cat"]
        assert "sdxl on a1111" in head(pane).lower()
        assert "Noise floor 0.0010" in head(pane)
        assert not pane.has_class("-stale")
        await pilot.press("escape")
        await until(pilot, lambda: app.main.positive.has_focus)
        await pilot.press("end", *" sat", "f9")
        await until(pilot, lambda: held.asked[-1]["text"].endswith(" sat"))
        assert pane.has_class("-stale")
        assert "earlier text" in head(pane)
        assert [e.cells[2].text for e in pane.ranking.entries] == ["red", "cat"]
        held.gates[-1].set()
        await until(pilot, lambda: not pane.stale)
        assert not pane.has_class("-stale")
        assert len(pane.ranking.entries) == 3

    drive(act, "red cat", held)


def test_an_answer_that_comes_too_late_is_dropped() -> None:
    held = Held(late=True)

    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        await pilot.press("f9")
        await until(pilot, lambda: held.gates)
        app.main.positive.replace_all("blue dogs")
        await until(pilot, lambda: len(held.gates) == 2)
        held.gates[0].set()
        await pilot.pause()
        assert pane.answered is None
        assert not pane.ranking.entries
        held.gates[1].set()
        await until(pilot, lambda: pane.answered)
        assert [e.cells[2].text for e in pane.ranking.entries] == ["blue", "dogs"]

    drive(act, "red cat", held)


def test_a_hidden_pane_asks_nothing_and_typing_asks_once() -> None:
    held = Held()

    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        await pilot.press(*"red cat")
        await until(pilot, lambda: app.main.report is not None and app.main.report.usage.prompt == "red cat")
        assert pane.timer is None
        assert held.asked == []
        await pilot.press("f9")
        await until(pilot, lambda: held.gates)
        app.main.inspect.show_tab("tokens")
        await until(pilot, lambda: not pane.size)
        await pilot.press("escape")
        await until(pilot, lambda: app.main.positive.has_focus)
        await pilot.press(*" sat")
        await until(pilot, lambda: app.main.report is not None and app.main.report.usage.prompt == "red cat sat")
        assert pane.timer is None
        assert [q["text"] for q in held.asked] == ["red cat"]
        for gate in held.gates:
            gate.set()

    drive(act, "", held)


def test_the_negative_prompt_is_measured_as_such() -> None:
    held = Held()

    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        app.main.use_host("comfyui")
        app.main.negative.focus()
        await until(pilot, lambda: app.main.editor is app.main.negative)
        await pilot.press("f9")
        await until(pilot, lambda: held.gates and held.asked[-1]["text"] == "blurry")
        for gate in held.gates:
            gate.set()
        await until(pilot, lambda: pane.answered)
        assert [e.cells[2].text for e in pane.ranking.entries] == ["blurry"]
        await until(pilot, lambda: pane.ranking.has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: app.main.negative.selected_text == "blurry")

    drive(act, "red cat", held, negative="blurry")


def test_what_is_missing_is_said_with_the_keys_that_help() -> None:
    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        await pilot.press("f9")
        await until(pilot, lambda: "[clip-g]" in pane.ranking.hint)
        assert "w chooses weights, or the preview · p pulls weights" in with_keys(pane.ranking, pane.ranking.hint)
        assert not pane.left.display

    drive(act, "red cat", Failing())


def test_an_empty_prompt_says_what_will_be_here() -> None:
    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        await pilot.press("f9")
        await until(pilot, lambda: pane.is_mounted and "No prompt yet" in pane.ranking.hint)

    drive(act, "  ", Held())


@pytest.mark.encoder
@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_without_weights_the_preview_answers_in_bands(size: tuple[int, int]) -> None:
    pytest.importorskip("torch")

    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        await pilot.press("f9")
        await until(pilot, lambda: pane.answered)
        assert head(pane).startswith("approximate preview, not CLIP; ")
        assert {e.cells[3].text for e in pane.ranking.entries} <= {"high", "medium", "low"}
        assert {e.cells[2].text for e in pane.ranking.entries} >= {"日本", "brackets", "red"}
        await until(pilot, lambda: pane.strip.render_line(0).text.startswith("a (red:1.2) 日本"))
        assert not {"torch", "numpy"} & set(imported_by_the_screen())

    drive(act, "a (red:1.2) 日本 👍🏽 [brackets], oil painting", size=size)


def imported_by_the_screen() -> list[str]:
    """What a fresh process has imported once the app's modules are."""
    code = "import sys, promptlens.tui.app, promptlens.commands_tui; print(*sys.modules)"
    root = str(Path(promptlens.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}, check=True)
    return done.stdout.split()


@pytest.mark.encoder
def test_weights_that_are_broken_are_named(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    broken = tmp_path / "clip [l].safetensors"
    broken.write_bytes(b"\x10\0\0\0\0\0\0\0{not json at all")

    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        await pilot.press("f9")
        await until(pilot, lambda: "clip [l].safetensors" in pane.ranking.hint)
        app.encoding.choose(["preview"])
        await until(pilot, lambda: pane.answered)

    drive(act, "red cat", Encoding(Weights((str(broken),), own=1)))


def test_without_torch_the_pane_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nfor name in ('torch', 'numpy'):\n    sys.modules[name] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        await pilot.press("f9")
        await until(pilot, lambda: "pip install 'promptlens[encoder]'" in pane.ranking.hint)

    drive(act, "red cat")


@pytest.mark.encoder
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_child_that_dies_is_said_and_can_be_started_again() -> None:
    pytest.importorskip("torch")

    async def act(app: PromptLensApp, pane: InfluencePane, pilot: Pilot[None]) -> None:
        app.encoding.start()
        assert app.encoding.pid is not None
        os.kill(app.encoding.pid, signal.SIGKILL)
        await pilot.press("f9")
        await until(pilot, lambda: "killed by signal 9" in pane.ranking.hint)
        assert "r starts it again" in with_keys(pane.ranking, pane.ranking.hint)
        await pilot.press("r")
        await until(pilot, lambda: pane.answered)

    drive(act, "red cat")


# A parent that starts the child, says its id, and waits.
PARENT = """
import sys, threading
from promptlens.tui.encoding import Encoding
encoding = Encoding()
encoding.start()
print(encoding.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs a way to wait for a process that is not a child")
def test_the_child_ends_with_an_app_that_is_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(promptlens.__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        ended, _, _ = select.select([child], [], [], PATIENCE_S)
        os.close(child)
    assert ended


def test_heat_covers_whole_clusters_and_marks_say_it_without_colour() -> None:
    runs = heat_runs("a 👍🏽 cat", [(Span(2, 3), 3), (Span(5, 8), 9)])
    assert runs == [Run("a ", "syntax"), Run("👍🏽", "heat3*0"), Run(" ", "syntax"), Run("cat", "heat9*1")]
    assert [run.text for run in mark_row(runs)] == ["  ", "33", " ", "999"]
