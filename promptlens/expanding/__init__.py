"""Expansion: what a template may become before a host reads it, and which of it takes the most tokens.

    styled(prompt, negative, styles)        the prompt with styles of AUTOMATIC1111 or Forge put around it
    expand(template, cost, wildcards)       how many prompts a dynamic prompt stands for, the largest and the smallest of them

Dynamic Prompts' own library (the extra `templates`) reads the syntax: {a|b}, {2$$a|b}, __wildcard__, ${variable}, %{wrap$$text}. Left out:
Jinja templates, and odds: the largest is the largest however unlikely.
"""

from promptlens.expanding._expand import EXACT_UP_TO, Expansion, Pick, expand
from promptlens.expanding._styles import Style, choose_styles, load_styles, styled

__all__ = ["EXACT_UP_TO", "Expansion", "Pick", "Style", "choose_styles", "expand", "load_styles", "styled"]
