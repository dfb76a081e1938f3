"""The project's own themes; Textual brings more."""

from __future__ import annotations

from textual.theme import Theme

DEFAULT_THEME = "promptlens-dark"


def _troughs(ground: str) -> dict[str, str]:
    """What lies behind scrollbars: the surface, however the mouse is."""
    return {f"scrollbar-background{state}": ground for state in ("", "-hover", "-active")}


THEMES = (
    Theme(
        name="promptlens-dark",
        primary="#5aa2ee",
        secondary="#2fb39a",
        accent="#f0a35e",
        warning="#d6a84a",
        error="#e5484d",
        success="#2fb39a",
        foreground="#d9dee8",
        background="#14171d",
        surface="#181c23",
        panel="#20252e",
        dark=True,
        variables={
            "border": "#f0a35e",
            "border-blurred": "#3b4250",
            "footer-key-foreground": "#f0a35e",
            "block-cursor-text-style": "none",
            **_troughs("#181c23"),
        },
    ),
    Theme(
        name="promptlens-light",
        primary="#1f6fc4",
        secondary="#0e8a73",
        accent="#b8560f",
        warning="#8f6400",
        error="#c4252b",
        success="#0e8a73",
        foreground="#1d2430",
        background="#eef0f4",
        surface="#fbfcfe",
        panel="#e3e7ee",
        dark=False,
        variables={
            "border": "#b8560f",
            "border-blurred": "#b9c0cc",
            "footer-key-foreground": "#b8560f",
            "block-cursor-text-style": "none",
            **_troughs("#fbfcfe"),
        },
    ),
)
