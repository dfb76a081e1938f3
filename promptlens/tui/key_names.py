"""Which key a binding has now, for texts that name one: hints, notices, help. A text names it by the id of the binding: "{finding.fix}"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from textual.dom import DOMNode
from textual.keys import format_key

if TYPE_CHECKING:
    from promptlens.tui.app import PromptLensApp

_NAMED = re.compile(r"\{(\w+\.\w+)\}")


def key_of(node: DOMNode, name: str) -> str:
    """The key of a binding as one writes it in the settings: "ctrl+g". The binding is that of a widget, of what it is in, or of the
    application; "" where none of these has it."""
    app = cast("PromptLensApp", node.app)
    if name in app.keymap:
        return app.keymap[name].split(",")[0].strip()
    for holder in (*node.ancestors_with_self, app.main, app):
        for key, binding in holder._bindings:
            if binding.id == name:
                return key
    return ""


def with_keys(node: DOMNode, text: str) -> str:
    """A text with the keys that it names by their bindings; of a name that no binding has, nothing is made."""
    return _NAMED.sub(lambda named: key_in_words(key_of(node, named[1])) or named[0], text)


def key_in_words(key: str) -> str:
    """A key as a text names it.

    >>> key_in_words("ctrl+r"), key_in_words("slash"), key_in_words("escape")
    ('ctrl+r', '/', 'esc')
    """
    *modifiers, last = key.split("+") if key != "+" else [key]
    return "+".join([*modifiers, last if last in ("", "enter") else format_key(last)])


def short_key(key: str) -> str:
    """A key in few cells, for a column: "^r" for "ctrl+r"."""
    return key_in_words(key).replace("ctrl+", "^")
