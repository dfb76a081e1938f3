"""The top line keeps what matters most on a narrow screen."""

from __future__ import annotations

import pytest
from driving import drive, until
from textual.pilot import Pilot

from promptlens.hosts import hosts_for
from promptlens.models import MODELS
from promptlens.spans import cell_width
from promptlens.tui.app import PromptLensApp
from promptlens.tui.topbar import TopBar, summary_in


@pytest.mark.parametrize(
    ("width", "expected"),
    [(40, "18 lost · 3 findings · 2 chunks"), (22, "18 lost · 3 findings"), (12, "18 lost"), (3, "18 lost")],
)
def test_what_matters_least_goes_first(width: int, expected: str) -> None:
    assert summary_in(["18 lost", "3 findings", "2 chunks"], width) == expected


@pytest.mark.parametrize("size", [(60, 24), (80, 24), (120, 36)])
def test_nothing_is_clipped(size: tuple[int, int]) -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        bar = app.main.query_one(TopBar)
        labels = [bar.model, bar.host, bar.file, bar.summary]
        bar.show_file("日本の長い名前のファイル-with-a-long-name.txt", changed=True)
        for host in hosts_for(MODELS["sdxl"]):
            app.main.use_host(host)
            await until(pilot, lambda: "lost" in bar.summary.text or "free" in bar.summary.text)
            await until(pilot, lambda: all(cell_width(label.text) <= label.content_size.width for label in labels))
            await until(pilot, lambda: sum(label.outer_size.width for label in labels) <= size[0])

    drive(act, "a very red cat, " * 30, size=size)
