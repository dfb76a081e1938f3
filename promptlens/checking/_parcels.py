"""What helper processes send back: of a prompt what is found in it, without the tokens, which no list of findings shows.

Whatever a helper cannot tell so (a host that fails, a prompt too long for the rules, a file of many lines) it leaves to the process that
asked, by sending `YOURSELF`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from promptlens.checking._entries import Judged
from promptlens.hosts import HOSTS
from promptlens.judging import JUDGED_UP_TO_CHARS
from promptlens.models import get_model
from promptlens.render import Clean, Entry, Item, Note, Role, Unchecked
from promptlens.report import Finding, Report, Usage
from promptlens.sources import Prompt

YOURSELF = None


class Parcel(NamedTuple):
    """What is found in a prompt, by the names of host and model."""

    host: str
    model: str
    findings: tuple[Finding, ...]
    fixable: tuple[Mapping[str, int], Mapping[str, int]] | None


class EntryParcel(NamedTuple):
    """An entry of a file."""

    prompt: Prompt
    role: Role
    found: Parcel


class LineParcel(NamedTuple):
    """A line of a block that something is found in, or that is left to who asked: its place among the block's lines and characters."""

    number: int
    start: int
    text: str
    found: Parcel | None


class BlockParcel(NamedTuple):
    """A block of lines: how many lines and characters, in how many prompts nothing is found, and the lines with the others."""

    lines: int
    chars: int
    clean: int
    left: list[LineParcel]


Sent = EntryParcel | Note | Unchecked | Clean


def packed(found: Judged) -> Parcel | None:
    """What is found in a prompt, ready to be sent."""
    usage = found.report.usage
    if usage.failure is not None or len(usage.prompt) > JUDGED_UP_TO_CHARS:
        return YOURSELF
    fixes = None if found.fixable is None else (dict(found.fixable[0]), dict(found.fixable[1]))
    return Parcel(usage.host.name, usage.model.name, found.report.findings, fixes)


def unpacked(text: str, parcel: Parcel) -> Judged:
    """What is found in a prompt; of its usage there is no more than the prompt, its host and its model."""
    return Judged(Report(Usage(text, HOSTS[parcel.host], get_model(parcel.model), ()), parcel.findings), parcel.fixable)


def packed_items(items: Iterable[Item]) -> list[Sent] | None:
    """The entries of a file, ready to be sent; `YOURSELF` where one of them cannot be."""
    sent: list[Sent] = []
    for item in items:
        if isinstance(item, Entry):
            found = packed(Judged(item.report, item.fixable))
            if found is YOURSELF or item.source is None:
                return YOURSELF
            sent.append(EntryParcel(item.source, item.role, found))
        elif isinstance(item, (Note, Unchecked, Clean)):
            sent.append(item)
        else:
            return YOURSELF
    return sent


def unpacked_items(sent: Iterable[Sent], name: str) -> Iterator[Item]:
    """The entries of a file."""
    for item in sent:
        if isinstance(item, EntryParcel):
            found = unpacked(item.prompt.text, item.found)
            yield Entry(found.report, name, item.role, source=item.prompt, fixable=found.fixable)
        else:
            yield item
