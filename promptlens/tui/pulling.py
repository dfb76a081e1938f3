"""The line that tells how far a pull of weights is."""

from __future__ import annotations

from collections.abc import Callable

from promptlens.render._runs import Row, Run, visible_text, wrap
from promptlens.tui.encoding import Pull

CELLS = 24


def pull_rows(pull: Pull, width: int, keyed: Callable[[str], str]) -> list[Row]:
    """A bar while it goes on, and what came of it; nothing once it is done. `keyed` puts in the keys that a text names.

    >>> pull_rows(Pull("clip-l", 123_000_000, 246_000_000), 80, str)[0][2].text
    ' 123 of 246 MB'
    """
    so_far = f"{pull.done / 1e6:,.0f} of {pull.of / 1e6:,.0f} MB" if pull.of else ""
    if pull.running:
        full = CELLS * pull.done // pull.of if pull.of else 0
        bar = Run("█" * full + "░" * (CELLS - full), "ok")
        return [
            [Run(f"{pull.name} ", "title"), bar, Run(f" {so_far or 'asking the hub'}"), Run(keyed(" · {encoder.stop_pull} stops"), "dim")]
        ]
    if pull.stopped:
        at = f" at {so_far}" if so_far else ""
        return wrap([Run(f"{pull.name} ", "title"), Run(f"stopped{at}{keyed(' · {encoder.pull} goes on from there')}", "dim")], width)
    if pull.error:
        return wrap(
            [Run(f"{pull.name} ", "title"), Run(f"{visible_text(pull.error)}{keyed(' · {encoder.pull} tries again')}", "warning")], width
        )
    return []
