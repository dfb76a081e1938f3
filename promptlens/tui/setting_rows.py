"""The rows of the settings screen: each a key, its value, where that comes from, and what else it may be.

Rows of a host are read off the options it declares, with the words that it describes them with; a new host needs nothing here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from promptlens.config import key_name
from promptlens.errors import OptionError
from promptlens.hosts import HOSTS, Host
from promptlens.job import parse_option
from promptlens.models import MODELS
from promptlens.setting_values import checked_value
from promptlens.tui.session import Session

Kind = Literal["choice", "number", "text", "folder", "folders", "names"]
HINTS: Mapping[str, str] = {
    "number": "a whole number",
    "text": "a text",
    "folder": "a path; ~ is your home folder",
    "folders": "folders, with ; between them",
    "names": "names, with commas between them",
}
# Options of a host that are no matter of taste: the editors say which is the negative prompt.
LEFT_OUT = ("negative", "negative_prompt", "embeddings")
NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Setting:
    """A row. `choices` are (value, what is said of it); `empty` is what no value means, and whether there may be none."""

    key: str
    label: str
    value: Any
    source: str
    about: str
    kind: Kind = "text"
    choices: tuple[tuple[Any, str], ...] = ()
    empty: str = ""
    changed: bool = False
    personal: bool = False

    @property
    def shown(self) -> str:
        """The value in a cell."""
        return in_words(self.value, self.empty)

    @property
    def typed(self) -> str:
        """The value as it is typed."""
        return "" if self.value is None else ("; " if self.kind == "folders" else ", ").join(_parts(self.value))


def setting_rows(session: Session, *, theme: str, themes: Sequence[str], compact: bool) -> tuple[Setting, ...]:
    """All rows, what is changed most first."""
    host = HOSTS[session.value("host")]
    return (*_shared(session), *_options(session, host), *_more(session, host), *_personal(theme, themes, compact))


def _shared(session: Session) -> Iterator[Setting]:
    models = tuple((m.name, m.title) for m in MODELS.values())
    hosts = tuple((h.name, h.summary) for h in HOSTS.values())
    yield _row(session, "model", "The base model, whose text encoders read the prompt.", "choice", choices=models)
    yield _row(session, "host", "The program that makes windows of the prompt.", "choice", choices=hosts)


def _options(session: Session, host: Host) -> Iterator[Setting]:
    """The options that a host declares."""
    hints, words = get_type_hints(host.options), option_words(host)
    for option in fields(host.options):
        if option.name in LEFT_OUT:
            continue
        kind, choices, may_be_none = _kind(hints[option.name], option.default)
        if choices and len(choices) < 2:
            continue
        about = f"{host.title}: {words.get(option.name, option.name)}"
        empty = NOBODY if may_be_none else ""
        yield _row(session, f"options.{option.name}", about, kind, choices=choices, empty=empty)


def _kind(hint: Any, default: Any) -> tuple[Kind, tuple[tuple[Any, str], ...], bool]:
    """What kind of value an option's type asks for, its choices, and whether it may be none: only by leaving it out, as no file says so."""
    parts = get_args(hint) if get_origin(hint) is not Literal else ()
    may_be_none = default is None
    plain = next((p for p in parts if p is not type(None)), hint) if type(None) in parts else hint
    if get_origin(plain) is Literal:
        return "choice", tuple((c, "") for c in get_args(plain) if c is not None or may_be_none), may_be_none
    if plain is bool:
        return "choice", tuple((c, "") for c in ((None,) if may_be_none else ()) + (True, False)), may_be_none
    return "number" if plain is int else "text", (), may_be_none


def option_words(host: Host) -> dict[str, str]:
    """What a host says of each of its options, in the lines of its docstring.

    >>> option_words(HOSTS["a1111"])["steps"]
    'sampling steps, for prompt editing'
    """
    found: dict[str, str] = {}
    name = ""
    for line in cleandoc(host.options.__doc__ or "").splitlines():
        row = re.fullmatch(r"(\w+)\s{2,}(\S.*)", line)
        if row:
            name = row[1]
            found[name] = row[2]
        elif name and line.startswith("  "):
            found[name] += f" {line.strip()}"
        else:
            name = ""
    return found


def _more(session: Session, host: Host) -> Iterator[Setting]:
    if "embeddings" in host.options.__dataclass_fields__:
        yield _row(
            session, "options.embeddings", "The folder with your textual inversions, whose vectors are counted.", "folder", empty=NOBODY
        )
    skip = "The layer of the text encoders that the model gets, counted from the end: 2 is the last but one. It changes no token, only "
    yield _row(session, "clip_skip", f"{skip}influence on all the model gets.", "number", empty="the host's own")
    yield _row(session, "limits.max_tokens", "The budget: TB103 finds prompts with more tokens.", "number", empty="any number")
    yield _row(session, "limits.max_chunks", "The budget: TB103 finds prompts with more chunks.", "number", empty="any number")
    yield _row(session, "ignore", "Rules that are not run, by codes or their beginnings: TB404, TB3.", "names", empty=NOBODY)
    yield _row(session, "loras", "The folder with your LoRAs: TB305 finds names that are not there.", "folder", empty=NOBODY)
    yield _row(session, "wildcards", "The folder with your wildcards: TB106 counts their longest texts.", "folder", empty=NOBODY)
    installs = "Folders of A1111, ComfyUI, Forge and others: their embeddings, LoRAs, wildcards and weights are known."
    yield _row(session, "installs", installs, "folders", empty=NOBODY)
    yield _row(
        session, "t5_tokenizer", "The tokenizer.json of T5, for SD3, Flux and others that read with it.", "folder", empty="looked for"
    )


def _personal(theme: str, themes: Sequence[str], compact: bool) -> Iterator[Setting]:
    """What is one's own and no matter of the prompts: it is remembered at once."""
    own = "remembered for you"
    yield Setting("theme", "theme", theme, own, "The colours.", "choice", tuple((name, "") for name in themes), personal=True)
    both = ((True, ""), (False, ""))
    yield Setting("compact", "compact", compact, own, "Without borders and blank columns.", "choice", both, personal=True)


def _row(session: Session, key: str, about: str, kind: Kind, *, choices: tuple[tuple[Any, str], ...] = (), empty: str = "") -> Setting:
    table, _, name = key.rpartition(".")
    label = name if table == "options" else key_name(name)
    return Setting(key, label, session.value(key), session.source(key), about, kind, choices, empty, key in session.changes)


def in_words(value: Any, empty: str = NOBODY) -> str:
    """A value in a few words.

    >>> in_words(True), in_words(None, "any"), in_words(("TB3", "TB404")), in_words({"easynegative": 8})
    ('yes', 'any', 'TB3, TB404', '1 by name')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return f"{len(value)} by name" if value else empty
    return ", ".join(map(near_path, _parts(value))) or empty


def _parts(value: Any) -> list[str]:
    if value is None or value == "" or isinstance(value, Mapping):
        return []
    return [str(item) for item in value] if isinstance(value, (tuple, list)) else [str(value)]


def near_path(text: str) -> str:
    """A path as one would write it here: below the working directory without that, below the home folder with ~; anything else as it is."""
    if not os.path.isabs(text):
        return text
    for folder, short in ((os.getcwd(), ""), (os.path.expanduser("~"), f"~{os.sep}")):
        inside = folder.rstrip(os.sep) + os.sep
        if text.startswith(inside):
            return short + text.removeprefix(inside)
    return text


def parsed(setting: Setting, text: str, host: str) -> Any:
    """The value of a text that was typed; None, "" or () for nothing. Raises a child of `PromptLensError` with what is wrong with it."""
    text = text.strip()
    if not text and not setting.empty and setting.kind != "text":
        raise OptionError(f"{setting.label} must have a value: {HINTS[setting.kind]}.")
    if setting.key.startswith("options.") and setting.key != "options.embeddings":
        return parse_option(HOSTS[host], setting.label, text) if text or not setting.empty else None
    if setting.kind == "number":
        return _number(setting, text)
    if setting.kind in ("names", "folders"):
        items = [item.strip() for item in text.split("," if setting.kind == "names" else ";") if item.strip()]
        return checked_value(setting.key, items, Path.cwd())
    if setting.key == "options.embeddings":
        return checked_value("options", {"embeddings": text}, Path.cwd())["embeddings"] if text else None
    return checked_value(setting.key, text, Path.cwd())


def _number(setting: Setting, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise OptionError(f"{setting.label} must be {HINTS['number']}, not {text!r}.")
    return checked_number(setting, int(text))


def checked_number(setting: Setting, number: int) -> int:
    """The number, if the setting may be that; a host checks its own. Raises a child of `PromptLensError`."""
    table, _, name = setting.key.rpartition(".")
    if table == "limits":
        checked_value("limits", {name: number}, Path.cwd())
    elif not table:
        checked_value(name, number, Path.cwd())
    return number


def stepped(setting: Setting, by: int) -> Any:
    """The value one step on: the next choice, or the number beside; below 1 is none where there may be none."""
    if setting.choices:
        values = [value for value, _ in setting.choices]
        at = values.index(setting.value) if setting.value in values else 0
        return values[(at + by) % len(values)]
    if setting.kind != "number":
        return setting.value
    if setting.value is None:
        return 1 if by > 0 else None
    if setting.empty and setting.value + by < 1:
        return None
    return checked_number(setting, setting.value + by)
