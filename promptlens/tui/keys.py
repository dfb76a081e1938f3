"""Which keys there are, and other keys for them: the table `tui-keys` of the settings, by the ids of the bindings.

    [tui-keys]
    "finding.next" = "ctrl+n"

Every binding has an id, and the table of them is read off the classes. What the editor and the input fields bind of themselves stays.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from textual.binding import Binding
from textual.keys import Keys, key_to_character
from textual.screen import ModalScreen
from textual.widgets import TextArea

from promptlens.errors import ConfigError, UnknownNameError

MODIFIERS = ("ctrl", "shift", "alt", "super", "meta", "hyper")
EVERYWHERE = ("PromptLensApp", "MainScreen")


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding as its class has it: `scope` is the name of the class, `dialog` says that it covers the screen."""

    id: str
    keys: str
    action: str
    description: str
    scope: str
    dialog: bool

    @property
    def everywhere(self) -> bool:
        return self.scope in EVERYWHERE


@cache
def bound() -> tuple[Bound, ...]:
    """Every binding with an id, by the order of the modules. All of the screen is imported: for tables, checks and documents only."""
    return tuple(_all_bound())


def _all_bound() -> Iterator[Bound]:
    package = importlib.import_module("promptlens.tui")
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        name = f"promptlens.tui.{module.name}"
        for made in vars(importlib.import_module(name)).values():
            if isinstance(made, type) and made.__module__ == name and "BINDINGS" in vars(made):
                for binding in vars(made)["BINDINGS"]:
                    dialog = issubclass(made, ModalScreen)
                    assert isinstance(binding, Binding)
                    yield Bound(binding.id or "", binding.key, binding.action, binding.description, made.__name__, dialog)


def checked_keymap(keys: Mapping[str, str]) -> dict[str, str]:
    """The keys if every id and every key is known. Raises `UnknownNameError` or `ConfigError`."""
    known = sorted({b.id for b in bound()})
    for name, combination in keys.items():
        if name not in known:
            raise UnknownNameError("binding", name, known, where="tui-keys")
        for key in combination.split(","):
            _check_key(name, key.strip())
    return dict(keys)


def _check_key(name: str, key: str) -> None:
    *modifiers, last = key.split("+") if key != "+" else [key]
    for modifier in modifiers:
        if modifier not in MODIFIERS:
            raise UnknownNameError("modifier", modifier, MODIFIERS, where=f"tui-keys: {name} = {key!r}")
    named = {str(k.value) for k in Keys if "+" not in k.value and "<" not in k.value}
    if not last or not (len(last) == 1 or last in named or key_to_character(last) is not None):
        raise ConfigError(f'tui-keys: {name}: there is no key {key!r}. Keys are written as in "ctrl+n", "f6", "shift+tab" or "n".')


def clashes(keys: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with keys that are known: two bindings on one key, or one that the editor never lets through. A sentence each."""
    rows = bound()
    held = {row: _split(keys.get(row.id, row.keys)) for row in rows}
    said = set()
    for one, other in combinations(rows, 2):
        shared = held[one] & held[other]
        if not shared or one.id == other.id or not {one.id, other.id} & set(keys) or not _meet(one, other):
            continue
        pair = (sorted(shared)[0], *sorted((one.id, other.id)))
        if pair not in said:
            said.add(pair)
            yield f"{pair[0]} is the key of both {pair[1]} and {pair[2]}: only one of them will answer."
    own = {key: b.description for b in TextArea.BINDINGS if isinstance(b, Binding) for key in b.key.split(",")}
    for row in rows:
        if row.id in keys and row.everywhere:
            for key in sorted(held[row]):
                if len(key) == 1:
                    yield f"{key} is typed in the editor: {row.id} will answer only outside of it."
                elif key in own:
                    yield f"{key} is the editor's own ({own[key].lower()}): {row.id} will answer only outside of it."


def _meet(one: Bound, other: Bound) -> bool:
    """Whether both can answer at one time."""
    if one.dialog or other.dialog:
        return one.scope == other.scope
    return one.scope == other.scope or one.everywhere or other.everywhere or "Listing" in (one.scope, other.scope)


def _split(keys: str) -> set[str]:
    return {key.strip() for key in keys.split(",")}
