"""Runs the terminal UI without a terminal, for tests that drive it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from promptlens.job import Job
from promptlens.tui.app import PromptLensApp

ENOUGH = 2_000

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
) -> None:
    """Start the application with these texts, act once its first screen is there, and end it."""

    async def run() -> None:
        app = PromptLensApp(Job(host, model), text, negative, path)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await act(app, pilot)

    asyncio.run(run())


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Let the application work until this holds: what panes show comes after a repaint, which a busy machine may put off."""
    for _ in range(ENOUGH):
        if holds():
            return
        await pilot.pause()
    raise AssertionError(f"{holds} never held")
