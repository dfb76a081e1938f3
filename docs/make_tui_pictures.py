"""Writes the pictures of the terminal UI: two screens and a cast of half a minute, drawn by the UI itself while it is driven.

usage: make_tui_pictures.py [--check]
`--check` changes nothing and fails when a picture is out of date.
The cast is one SVG whose screens take turns, by CSS alone. Settings, drafts and weights of whoever runs it are out of reach.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from generate import EXAMPLE, FOX

DOCS = Path(__file__).parent
SIZE = (100, 30)
CAST_SIZE = (90, 26)
FOLDERS = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "PROMPTLENS_ENCODERS", "HF_HUB_CACHE", "HF_HOME")
TITLE = "PromptLens"
QUIET = 10  # looks in a row at a screen that does not change


async def until(pilot: object, holds: Callable[[], object]) -> None:
    while not holds():
        await pilot.pause(0.02)  # type: ignore[attr-defined]


async def influence_is_there(app: object, pilot: object) -> None:
    pane = app.main.inspect.panes["influence"]  # type: ignore[attr-defined]
    await until(pilot, lambda: pane.answered and not pane.stale)


async def still(app: Any, pilot: Any) -> str:
    """The screen once it stays as it is."""
    before, same = "", 0
    while same < QUIET:
        await pilot.pause(0.02)
        await app.workers.wait_for_complete()
        now = app.export_screenshot(title=TITLE)
        before, same = now, same + 1 if now == before else 0
    return before


async def screens(size: tuple[int, int], host: str, act: Callable[..., Awaitable[None]], text: str = "") -> list[tuple[float, str]]:
    """The screens that `act` takes, each with the seconds that it is shown."""
    from promptlens.encoder.preview import NAME
    from promptlens.job import Job
    from promptlens.tui.app import PromptLensApp
    from promptlens.tui.encoding import Encoding
    from promptlens.weights import Weights

    taken: list[tuple[float, str]] = []
    with Encoding(Weights((NAME,), own=1)) as encoding:
        app = PromptLensApp(Job(host, "sd15"), text, encoding=encoding)
        app.animation_level = "none"
        app.main.positive.cursor_blink = app.main.negative.cursor_blink = False
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.2)

            async def take(seconds: float = 1.0) -> None:
                taken.append((seconds, await still(app, pilot)))
                app.clear_notifications()

            await act(app, pilot, take)
    return taken


async def findings(app: object, pilot: object, take: Callable[..., Awaitable[None]]) -> None:
    app.main.inspect.show_tab("findings")  # type: ignore[attr-defined]
    await take()


async def influence(app: object, pilot: object, take: Callable[..., Awaitable[None]]) -> None:
    app.main.inspect.show_tab("influence")  # type: ignore[attr-defined]
    await influence_is_there(app, pilot)
    await take()


async def cast(app: object, pilot: object, take: Callable[..., Awaitable[None]]) -> None:
    """Type a prompt that does not fit, read it in other hosts, mend a finding, see which words matter."""
    main = app.main  # type: ignore[attr-defined]
    await take(2)
    pieces = [EXAMPLE[start : start + 60] for start in range(0, len(EXAMPLE), 60)]
    for piece in pieces:
        main.positive.insert(piece)
        await take(1.2)
    main.inspect.show_tab("findings")
    await take(3)
    await pilot.press("ctrl+g")  # type: ignore[attr-defined]
    await take(2.5)
    before = main.positive.prompt
    await pilot.press("ctrl+r")  # type: ignore[attr-defined]
    await until(pilot, lambda: main.positive.prompt != before)
    await take(2.5)
    main.use_host("a1111")
    await take(3)
    main.inspect.show_tab("hosts")
    await until(pilot, lambda: main.inspect.panes["hosts"].rows)
    await take(3.5)
    main.inspect.show_tab("influence")
    await influence_is_there(app, pilot)
    await take(3.5)
    main.inspect.show_tab("similarity")
    pane = main.inspect.panes["similarity"]
    await until(pilot, lambda: pane.answered)
    await take(3.5)


def animated(frames: list[tuple[float, str]]) -> str:
    """One SVG in which the frames take turns for ever."""
    whole = sum(seconds for seconds, _ in frames)
    size = re.search(r'viewBox="([^"]+)"', frames[0][1])
    assert size is not None
    styles, groups, at = [], [], 0.0
    for n, (seconds, frame) in enumerate(frames):
        start, end = 100 * at / whole, 100 * (at + seconds) / whole
        before = "0%{visibility:hidden}" if n else ""
        after = f"{end:.3f}%,100%{{visibility:hidden}}" if n < len(frames) - 1 else ""
        styles.append(f"@keyframes k{n}{{{before}{start:.3f}%{{visibility:visible}}{after}}}")
        styles.append(f".k{n}{{visibility:hidden;animation:k{n} {whole:.1f}s step-end infinite}}")
        groups.append(f'<g class="k{n}">{slim(frame, first=not n)}</g>')
        at += seconds
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size.group(1)}"><style>{"".join(styles)}</style>{"".join(groups)}</svg>\n'


def slim(frame: str, *, first: bool) -> str:
    """A frame without what the others have too: the fonts, and the clipping of lines that all end at the edge of the screen."""
    frame = re.sub(r'\s*<clipPath id="[^"]*-line-\d+">.*?</clipPath>', "", frame, flags=re.S)
    frame = re.sub(r' clip-path="url\(#[^)]*-line-\d+\)"', "", frame)
    if not first:
        frame = re.sub(r"@font-face \{.*?\}", "", frame, flags=re.S)
    return re.sub(r"\n\s*", "\n", frame)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    old = [name for name, drawn in pictures() if not is_as(DOCS / name, drawn, write=not check)]
    if old:
        print(f"{'out of date' if check else 'drawn anew'}: {', '.join(old)}", file=sys.stderr)
    return 1 if old and check else 0


def is_as(path: Path, drawn: str, *, write: bool) -> bool:
    """Whether a file holds the picture; with `write` it does from now on."""
    same = path.exists() and path.read_text(encoding="utf-8") == drawn
    if write and not same:
        path.write_text(drawn, encoding="utf-8")
    return same


def pictures() -> Iterator[tuple[str, str]]:
    """The names of the pictures, and what they are."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= dict.fromkeys(FOLDERS, folder)
        os.chdir(folder)
        for name, host, act, text in (("findings", "diffusers", findings, EXAMPLE), ("influence", "a1111", influence, FOX)):
            ((_, drawn),) = asyncio.run(screens(SIZE, host, act, text))
            yield f"tui-{name}.svg", drawn
        frames = asyncio.run(screens(CAST_SIZE, "diffusers", cast))
        print(f"{len(frames)} screens, {sum(seconds for seconds, _ in frames):.0f} s")
        yield "tui-cast.svg", animated(frames)


if __name__ == "__main__":
    raise SystemExit(main())
