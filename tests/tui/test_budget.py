"""The gauges of the Budget pane."""

from __future__ import annotations

import pytest

from promptlens import analyze
from promptlens.render._runs import plain
from promptlens.spans import cell_width
from promptlens.tui.gauges import budget_rows, compact_rows


@pytest.mark.parametrize("width", [30, 38, 80])
def test_an_encoder_whose_vocabulary_is_not_here_is_not_counted(width: int) -> None:
    report = analyze("a cat", "comfyui", "flux")
    for rows in (budget_rows(report, width), compact_rows(report, width)):
        lines = [plain(row) for row in rows]
        assert "not counted" in "\n".join(lines)
        assert not any("0 free" in line or "nothing to read" in line for line in lines)
        assert all(cell_width(line) <= width for line in lines)


@pytest.mark.parametrize("width", [38, 58, 78, 108])
@pytest.mark.parametrize("words", [0, 1, 75, 76, 200, 301, 3_000])
@pytest.mark.parametrize(("host", "model"), [("a1111", "sdxl"), ("diffusers", "sd15"), ("kohya", "sdxl"), ("comfyui", "flux")])
def test_a_line_fits_with_any_number_of_chunks(host: str, model: str, words: int, width: int) -> None:
    for row in compact_rows(analyze("cat " * words, host, model), width):
        assert cell_width(plain(row)) <= width


def test_chunks_that_are_left_out_are_hinted_at() -> None:
    said = plain(compact_rows(analyze("cat " * 301, "a1111", "sdxl"), 78)[0])
    assert said.startswith("CLIP-L = CLIP-G 1")
    assert "… 5" in said
