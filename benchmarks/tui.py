"""The terminal UI: from a key to the repaint that shows it, and from the start of the process to the first whole screen.

usage: tui.py [PART ...] [--runs N] [--encoder-path PATH]
Parts (all of them, if none is named):
  keys    letters typed into prompts of 150 and 1,000 tokens: the application runs in this process, without a terminal but with every byte
          that it would send; each letter is timed from the event to the end of the repaint that shows it (`wall`, with the wait for the
          next frame, which Textual draws 60 times a second at most) and by the processor time this takes (`work`)
  start   `promptlens tui` in a pseudo-terminal of 120x36, from the start of the process to the first whole screen; and
          `promptlens tui FILE` to the screen that has the prompt of the file in it
  heartbeat  the longest gap of a clock that ticks every 10 ms in the screen's process: in the second after the first screen, while the
          encoder loads, and while the influence of a prompt is measured and again after an edit, to the screen that shows it; by the
          preview encoder, or the weights of --encoder-path. `wall` is what somebody waits, with what other programs take; `work` the
          processor time that the screen's thread took of the gap in which it took most
"""

from __future__ import annotations

import argparse
import asyncio
import os
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

LOOKS = (
    "silver",
    "weathered",
    "golden",
    "(glowing:1.2)",
    "intricate",
    "muted",
    "crystal",
    "floating",
    "cinematic",
    "hand-painted",
    "[faded]",
)
LOOKS += ("ornate", "misty", "ancient", "moonlit", "translucent", "rusty")
THINGS = (
    "hair",
    "lighthouse",
    "storm clouds",
    "city street",
    "oil painting",
    "forest",
    "armor",
    "35mm photograph",
    "ocean waves",
    "castle",
)
THINGS += ("robe", "marble statue", "cherry blossoms", "wooden bridge", "lantern", "mountain range", "library", "sports car", "garden")
SIZES = {150: 20.0, 1000: 33.0}  # tokens, and what 9 of 10 letters must be shown within, in milliseconds
START_MS = 400.0
TERMINAL = (120, 36)
FRAME = (b"PromptLens", b"Prompt", b"Budget", b"Tokens", b"Negative")  # what a whole screen has, from its top to its last line
SETTLE_S = 0.06  # between two letters of somebody who types fast: what is done after a repaint is done by then
BEAT_S = 0.01
GAP_MS = 50.0
MEASURED_S = 120.0  # an influence that is not there by then never comes
ENOUGH_S = 10.0  # a screen that is not there by then never comes


def prompt_of(tokens: int) -> str:
    """A prompt of about so many tokens: tags as people write them, each once."""
    from promptlens import analyze

    text = "masterpiece, best quality"
    for number in range(len(LOOKS) * len(THINGS)):
        if analyze(text, "a1111", "sdxl").usage.encoders[0].used >= tokens:
            break
        text += f", {LOOKS[number % len(LOOKS)]} {THINGS[number % len(THINGS)]}"
    return text


async def time_keys(tokens: int, runs: int, tab: str = "tokens") -> list[tuple[float, float]]:
    """(wall, work) in milliseconds of each of so many letters."""
    from textual import events
    from textual.geometry import Region
    from textual.strip import Strip

    from promptlens.job import Job
    from promptlens.tui.app import PromptLensApp

    shown = asyncio.Event()
    wanted = drawn = ""

    def display(screen: object, renderable: object) -> None:
        """What is done with a frame where there is a terminal, up to writing it."""
        bytes_of = getattr(renderable, "render_segments", None)
        if bytes_of is not None:
            bytes_of(app.console)
        if drawn == wanted:
            shown.set()

    def drawing(crop: Region) -> list[Strip]:
        """The rows of the editor, as it draws them."""
        nonlocal drawn
        drawn = app.main.positive.coloring.text
        return rows_of(crop)

    app = PromptLensApp(Job("a1111", "sdxl"), prompt_of(tokens))
    app.calm = True
    rows_of = app.main.positive.render_lines
    setattr(app, "_display", display)  # noqa: B010  (methods of this one application)
    setattr(app.main.positive, "render_lines", drawing)  # noqa: B010
    measured = []
    async with app.run_test(size=TERMINAL) as pilot:
        await pilot.pause()
        app.main.inspect.active = tab
        editor = app.main.positive
        editor.move_cursor(editor.document.end)
        await asyncio.sleep(SETTLE_S)
        for letter in ("lovely " * runs)[:runs]:
            shown.clear()
            wanted = editor.prompt + letter
            wall, work = time.perf_counter(), time.process_time()
            app.post_message(events.Key("space" if letter == " " else letter, letter))
            await shown.wait()
            measured.append(((time.perf_counter() - wall) * 1000, (time.process_time() - work) * 1000))
            await asyncio.sleep(SETTLE_S)
    return measured


def keys(runs: int) -> None:
    for tokens, aim in SIZES.items():
        for tab in ("tokens", "findings"):
            with tempfile.TemporaryDirectory() as folder:
                os.environ["XDG_STATE_HOME"] = folder
                measured = asyncio.run(time_keys(tokens, runs, tab))
            walls, works = ([pair[n] for pair in measured] for n in (0, 1))
            said = f"{tokens:,} tokens, {tab} in view"
            print(f"key to repaint   {said:30} wall {spread(walls)}   work {spread(works)}   aim p90 <= {aim:.0f} ms")


def spread(values: list[float]) -> str:
    """`p50  9.1  p90 12.0 ms`."""
    ordered = sorted(values)
    return f"p50 {statistics.median(ordered):5.1f}  p90 {ordered[int(len(ordered) * 0.9)]:5.1f} ms"


def start(runs: int) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # the child of the last run may just be writing byte code
        file = Path(folder, "hero.txt")
        file.write_text(prompt_of(150))
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPYCACHEPREFIX": str(Path(folder, "bytecode")), "XDG_STATE_HOME": folder}
        environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        command = [str(Path(sys.executable).with_name("promptlens")), "tui", "--isolated"]
        asked = {"the first screen": (command, FRAME), "a file of 150 tokens": ([*command, str(file)], (*FRAME, b"masterpiece"))}
        measured: dict[str, list[tuple[float, float]]] = {said: [] for said in asked}
        for number in range(runs + 1):
            for said, (one, words) in asked.items():
                taken = first_screen(one, environment, words)
                if number:  # the first time files come into the cache and byte code is written
                    measured[said].append(taken)
    for said, times in measured.items():
        walls, works = ([pair[n] for pair in times] for n in (0, 1))
        print(f"start to {said:21} wall {spread(walls)}, least {min(walls):.0f}   work {spread(works)}   aim <= {START_MS:.0f} ms")


def first_screen(command: list[str], environment: dict[str, str], words: tuple[bytes, ...]) -> tuple[float, float]:
    """(wall, work) in milliseconds from the start of a process to the screen that has these words; then it is ended.

    The work is that of the process alone, without the child that waits to load an encoder.
    """
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", TERMINAL[1], TERMINAL[0], 0, 0))
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
    os.close(theirs)
    written, missing = b"", words
    try:
        while missing := tuple(word for word in missing if word not in written):
            if time.perf_counter() - begun > ENOUGH_S or not select.select([ours], [], [], ENOUGH_S)[0]:
                raise SystemExit(f"a screen without {missing}")
            written += os.read(ours, 1 << 16)
        wall = time.perf_counter() - begun
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        os.close(ours)
    return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000


async def beats(tokens: int, paths: tuple[str, ...]) -> dict[str, list[tuple[float, float]]]:
    """Gaps (wall, work) in milliseconds of a clock in the screen's process, by what went on meanwhile."""
    from promptlens.job import Job
    from promptlens.tui.app import PromptLensApp
    from promptlens.tui.encoding import Encoding
    from promptlens.tui.influence_pane import InfluencePane
    from promptlens.weights import Weights

    gaps: dict[str, list[tuple[float, float]]] = {"after the start": [], "loading": [], "influence": []}
    now = "after the start"

    async def beat() -> None:
        last, work = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(BEAT_S)
            here, done = time.perf_counter(), time.thread_time()
            gaps[now].append(((here - last) * 1000, (done - work) * 1000))
            last, work = here, done

    async def while_it_works(goes_on: Callable[[], bool]) -> None:
        async with asyncio.timeout(MEASURED_S):
            while goes_on():
                await asyncio.sleep(2 * BEAT_S)

    text = prompt_of(tokens)
    with Encoding(Weights(paths, own=len(paths))) as encoding:
        app = PromptLensApp(Job("a1111", "sd15"), text, encoding=encoding)
        app.calm = True
        async with app.run_test(size=TERMINAL) as pilot:
            ticking = asyncio.create_task(beat())
            await asyncio.sleep(ENOUGH_S / 10)
            pane = app.main.inspect.panes["influence"]
            assert isinstance(pane, InfluencePane)
            now = "loading"
            app.main.inspect.show_tab("influence")
            await while_it_works(lambda: pane.percent is None)
            await while_it_works(lambda: pane.percent == 0)
            now = "influence"
            await while_it_works(lambda: pane.percent is not None)
            if pane.answered is None:
                raise SystemExit(pane.ranking.hint)
            app.main.positive.replace_all(f"tiny {app.main.positive.prompt}")
            await pilot.pause()
            await while_it_works(lambda: pane.stale)
            await asyncio.sleep(SETTLE_S)
            ticking.cancel()
    return gaps


def heartbeat(runs: int) -> None:
    for tokens in SIZES:
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as folder:  # nothing that was measured before is known
                os.environ["XDG_STATE_HOME"] = os.environ["XDG_CACHE_HOME"] = folder
                for when, gaps in asyncio.run(beats(tokens, WEIGHTS)).items():
                    walls, works = zip(*gaps, strict=True)
                    found.setdefault(when, []).append((max(walls), max(works)))
        for when, longest in found.items():
            walls, works = zip(*longest, strict=True)
            wall, work = (f"median {statistics.median(each):5.1f}  worst {max(each):5.1f}" for each in (walls, works))
            print(f"longest gap   {f'{tokens:,} tokens, {when}':29} wall {wall} ms   work {work} ms   aim <= {GAP_MS:.0f} ms")


WEIGHTS: tuple[str, ...] = ("preview",)
PARTS: dict[str, tuple[Callable[[int], None], int]] = {"keys": (keys, 100), "start": (start, 15), "heartbeat": (heartbeat, 5)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--runs", type=int)
    parser.add_argument("--encoder-path", action="append", metavar="PATH")
    arguments = parser.parse_args()
    global WEIGHTS
    WEIGHTS = tuple(arguments.encoder_path or WEIGHTS)
    for name in arguments.parts or PARTS:
        if name not in PARTS:
            parser.error(f"no part {name!r}; there are {', '.join(PARTS)}")
        measure, usual = PARTS[name]
        measure(arguments.runs or usual)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
