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
