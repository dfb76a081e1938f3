"""The terminal UI: from a key to the repaint that shows it, and from the start of the process to the first whole screen.

usage: tui.py [PART ...] [--runs N]
Parts (all of them, if none is named):
  keys    letters typed into prompts of 150 and 1,000 tokens: the application runs in this process, without a terminal but with every byte
          that it would send; each letter is timed from the event to the end of the repaint that shows it (`wall`, with the wait for the
          next frame, which Textual draws 60 times a second at most) and by the processor time this takes (`work`)
  start   `promptlens tui FILE` in a pseudo-terminal of 120x36, from the start of the process to the first screen with the prompt in it
"""

from __future__ import annotations

import argparse
import asyncio
import os
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PHRASES = (
    "masterpiece, best quality, (1girl:1.2), solo, silver hair, looking at viewer, intricate details, golden hour, volumetric lighting, ",
    "film grain, 35mm photograph, a weathered lighthouse on a cliff, [storm clouds], (crashing waves:0.9), seagulls, wide angle, ",
    "oil painting by a dutch master, chiaroscuro, cracked varnish, ornate frame, museum lighting, muted earth tones, ",
)
SIZES = {150: 20.0, 1000: 33.0}  # tokens, and what 9 of 10 letters must be shown within, in milliseconds
START_MS = 400.0
TERMINAL = (120, 36)
WHOLE = (b"PromptLens", b"masterpiece", b"Budget", b"Tokens", b"Negative")  # what the first screen has from its top to its last line
SETTLE_S = 0.06  # between two letters of somebody who types fast: what is done after a repaint is done by then
ENOUGH_S = 10.0  # a screen that is not there by then never comes


def prompt_of(tokens: int) -> str:
    """A prompt of about so many tokens, written as people write them."""
    from promptlens import analyze

    text, number = "", 0
    while analyze(text, "a1111", "sdxl").usage.encoders[0].used < tokens:
        text += PHRASES[number % len(PHRASES)]
        number += 1
    return text


async def time_keys(tokens: int, runs: int, tab: str = "tokens") -> list[tuple[float, float]]:
    """(wall, work) in milliseconds of each of so many letters."""
    from textual import events

    from promptlens.job import Job
    from promptlens.tui.app import PromptLensApp

    shown = asyncio.Event()
    wanted = ""

    def display(screen: object, renderable: object) -> None:
        """What is done with a frame where there is a terminal, up to writing it."""
        bytes_of = getattr(renderable, "render_segments", None)
        if bytes_of is not None:
            bytes_of(app.console)
        report = app.main.report
        if report is not None and report.usage.prompt == wanted:
            shown.set()

    app = PromptLensApp(Job("a1111", "sdxl"), prompt_of(tokens))
    setattr(app, "_display", display)  # noqa: B010  (a method of Textual's, for this one application)
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
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "hero.txt")
        file.write_text(prompt_of(150))
        command = [str(Path(sys.executable).with_name("promptlens")), "tui", "--isolated", str(file)]
        environment = {**os.environ, "XDG_STATE_HOME": folder, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        first_screen(command, environment)  # files into the cache, byte code written
        measured = [first_screen(command, environment) for _ in range(runs)]
    print(f"start to first screen   {spread(measured)}   fastest {min(measured):.0f} ms   aim <= {START_MS:.0f} ms")


def first_screen(command: list[str], environment: dict[str, str]) -> float:
    """Milliseconds from the start of a process to its first screen with top line, prompt, panes and footer; then it is ended."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", TERMINAL[1], TERMINAL[0], 0, 0))
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
    os.close(theirs)
    written, missing = b"", WHOLE
    try:
        while missing := [word for word in missing if word not in written]:
            if time.perf_counter() - begun > ENOUGH_S or not select.select([ours], [], [], ENOUGH_S)[0]:
                raise SystemExit(f"a screen without {missing}")
            written += os.read(ours, 1 << 16)
        return (time.perf_counter() - begun) * 1000
    finally:
        process.kill()
        process.wait()
        os.close(ours)


PARTS: dict[str, tuple[Callable[[int], None], int]] = {"keys": (keys, 100), "start": (start, 15)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--runs", type=int)
    arguments = parser.parse_args()
    for name in arguments.parts or PARTS:
        if name not in PARTS:
            parser.error(f"no part {name!r}; there are {', '.join(PARTS)}")
        measure, usual = PARTS[name]
        measure(arguments.runs or usual)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
