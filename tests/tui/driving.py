"""Runs the terminal UI without a terminal, for tests that drive it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from textual.pilot import Pilot
from textual.screen import Screen

from promptlens.job import Job
from promptlens.tui.app import PromptLensApp
from promptlens.tui.encoding import Encoding
from promptlens.tui.pane import Pane

ENOUGH = 5_000

Shown = TypeVar("Shown", bound=Pane)
Asking = TypeVar("Asking", bound=Screen[Any])
Drive = Callable[[PromptLensApp, Pilot[None]], Awaitable[None]]


def drive(
    act: Drive,
    text: str = "",
    negative: str = "",
    *,
    path: Path | None = None,
    size: tuple[int, int] = (120, 36),
    host: str = "a1111",
    model: str = "sdxl",
    encoding: Encoding | None = None,
    keymap: Mapping[str, str] | None = None,
) -> None:
    """Start the application with these texts, act once its first screen is there, and end it."""

    async def run() -> None:
        app = PromptLensApp(Job(host, model), text, negative, path, encoding, keymap)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.main.report is not None and app.main.positive.size)
            await act(app, pilot)

    asyncio.run(run())


def drive_pane(
    kind: type[Shown],
    act: Callable[[PromptLensApp, Shown, Pilot[None]], Awaitable[None]],
    text: str = "",
    negative: str = "",
    *,
    size: tuple[int, int] = (120, 36),
    encoding: Encoding | None = None,
) -> None:
    """Start the application and act on one of its panes, the name of whose tab is its class's without "Pane"."""

    async def with_pane(app: PromptLensApp, pilot: Pilot[None]) -> None:
        pane = app.main.inspect.panes[kind.__name__.removesuffix("Pane").lower()]
        assert isinstance(pane, kind)
        await act(app, pane, pilot)

    drive(with_pane, text, negative, size=size, encoding=encoding)


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Let the application work until this holds: what panes show comes after a repaint, which a busy machine may put off."""
    for _ in range(ENOUGH):
        if holds():
            return
        await pilot.pause()
    raise AssertionError(f"{holds} never held")


async def asked(pilot: Pilot[None], kind: type[Asking]) -> Asking:
    """Wait until a dialog of this kind is in front and takes keys: one that was asked for is composed and gets its focus later."""

    def takes_keys() -> bool:
        screen = pilot.app.screen
        return isinstance(screen, kind) and bool(screen.query("*")) and (screen.focused is not None or not screen.focus_chain)

    await until(pilot, takes_keys)
    dialog = pilot.app.screen
    assert isinstance(dialog, kind)
    return dialog


async def back(app: PromptLensApp, pilot: Pilot[None]) -> None:
    """Wait until the main screen is in front again."""
    await until(pilot, lambda: app.screen is app.main)


async def told(app: PromptLensApp, pilot: Pilot[None], words: str) -> None:
    """Wait until a notice with these words is shown."""
    await until(pilot, lambda: any(words in notice.message for notice in app._notifications))
