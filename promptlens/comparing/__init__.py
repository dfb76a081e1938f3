"""Side by side: one prompt in several hosts, or two prompts in one.

    across_hosts(text, names, model, ...)   what each host makes of a prompt, and which of them cut it at the same places
    compare_reports(before, after)          counts of each encoder, phrases that came, went, moved to another chunk or weigh otherwise

It leaves out reading the two prompts (commands_diff.py) and drawing (render/_comparison.py).
"""

from promptlens.comparing._hosts import Boundary, HostView, across_hosts, boundaries, same_cuts
from promptlens.comparing._phrases import LOST, Phrase, phrases
from promptlens.comparing._prompts import Change, EncoderChange, PromptDiff, compare_reports, token_changes

__all__ = [
    "LOST",
    "Boundary",
    "Change",
    "EncoderChange",
    "HostView",
    "Phrase",
    "PromptDiff",
    "across_hosts",
    "boundaries",
    "compare_reports",
    "phrases",
    "same_cuts",
    "token_changes",
]
