"""What a host does with syntax and with long prompts under given options, found out by letting it read short samples.

So a rule needs no host's name: brackets are alive where the host makes something of `(a:1.5)`, and a host cuts where it loses words of
an endless prompt. The answers are kept for the host, model and options last asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from promptlens.hosts import Host, HostFailure, Parsed
from promptlens.models import Model
from promptlens.report import Usage

# A sample of each word of `Host.syntax` that options may switch off, and what stays of it as text where it means nothing.
SAMPLES = {
    "round": ("(a) b", "("),
    "square": ("[a] b", "["),
    "weight": ("(a:1.5) b", "1.5"),
    "break": ("a BREAK b", "BREAK"),
    "newline-break": ("a\nb", "\n"),
    "and": ("a AND b", "AND"),
    "schedule": ("[a:b:0.5] c", "0.5"),
    "network": ("<lora:x:1> a", "lora"),
    "comment": ("a # b", "#"),
    "plus": ("a++ b", "++"),
    "number-weight": ("(a b)1.5 c", "1.5"),
    "conjunction": ('("a", "b").and()', "and"),
    "blend": ('("a", "b").blend(1, 1)', "blend"),
    "swap": ("a cat.swap(dog)", "swap"),
}
# What no host names: brackets that mean something, be it weight or only what belongs together, and a BREAK that is written as a tag.
UNNAMED = {
    "group": ("(a) b", "("),
    "break-tag": ("a <break> b", "break"),
}
UNCLOSED = "(a"
UNOPENED = ("a) b", ")")
AFTER_UNOPENED = "a) (b:1.5)"

# One-token words: more than any text encoder's window that a host cuts at.
ENDLESS_WORDS = 1200
REMEMBERED = 16


@dataclass(frozen=True)
class Reading:
    """What one host does under one set of options."""

    host: Host
    model: Model
    options: Any

    @cached_property
    def live(self) -> frozenset[str]:
        """The syntax that means something: of `Host.syntax`, what the options have not switched off, and of `UNNAMED`."""
        named = {word for word in self.host.syntax if word not in SAMPLES or self._is_live(*SAMPLES[word])}
        return frozenset(named | {word for word, sample in UNNAMED.items() if self._is_live(*sample)})

    @property
    def break_word(self) -> str | None:
        """What starts a new chunk when it is written into a prompt."""
        return "BREAK" if "break" in self.live else "<break>" if "break-tag" in self.live else None

    def _is_live(self, sample: str, mark: str) -> bool:
        parsed = self._parsed(sample)
        return parsed is None or not any(mark in _text(parsed, n) for n in range(len(parsed.lines)))

    @cached_property
    def weighs_unclosed(self) -> bool:
        """An opening bracket that is never closed weighs what follows it; otherwise it is text."""
        parsed = self._parsed(UNCLOSED)
        return parsed is not None and any(fragment.weight != 1 for line in parsed.lines for fragment in line.fragments)

    @cached_property
    def reads_unopened(self) -> bool:
        """A closing bracket that was never opened is text; otherwise it vanishes."""
        return not self._is_live(*UNOPENED)

    @cached_property
    def weighs_after_unopened(self) -> bool:
        """A closing bracket that was never opened leaves the weights after it alone; otherwise they are text."""
        parsed = self._parsed(AFTER_UNOPENED)
        return parsed is not None and any(fragment.weight != 1 for line in parsed.lines for fragment in line.fragments)

    def takes_weight(self, number: str) -> bool:
        """The host reads `(a:number)` as a weight."""
        parsed = self._parsed(f"(a:{number})")
        return parsed is not None and all(_text(parsed, n) == "a" for n in range(len(parsed.lines)))

    @cached_property
    def splits_lines(self) -> bool:
        """Lines of a prompt are texts of their own."""
        parsed = self._parsed("a\nb")
        return parsed is not None and len(parsed.lines) > 1

    @cached_property
    def kept(self) -> tuple[int | None, ...]:
        """Tokens that each encoder keeps of a prompt at most; None where there is no end to it."""
        parsed = self._parsed("a " * ENDLESS_WORDS)
        if parsed is None:
            return (None,) * len(self.model.encoders)
        try:
            uses = [self.host.pack(parsed.lines[0], encoder, self.model, self.options) for encoder in self.model.encoders]
        except HostFailure:
            return (None,) * len(self.model.encoders)
        return tuple(use.used if use.lost_places else None for use in uses)

    @cached_property
    def fixed_windows(self) -> bool:
        """Short prompts get as many windows as long ones."""
        parsed = self._parsed("a")
        if parsed is None:
            return False
        try:
            return any(
                len(self.host.pack(parsed.lines[0], encoder, self.model, self.options).chunks) > 1 for encoder in self.model.encoders
            )
        except HostFailure:
            return False

    def _parsed(self, text: str) -> Parsed | None:
        """The host's reading of a sample; None where it fails on it."""
        try:
            return self.host.parse(text, self.options)
        except HostFailure:
            return None


def _text(parsed: Parsed, line: int) -> str:
    return "".join(fragment.text for fragment in parsed.lines[line].fragments if fragment.kind == "text")


_last: list[Reading] = []


def reading(usage: Usage) -> Reading:
    """How the host of a usage reads, with its options."""
    host, model, options = usage.host, usage.model, usage.options
    for known in _last:
        if known.host is host and known.model is model and known.options == options:
            return known
    found = Reading(host, model, options)
    _last.insert(0, found)
    del _last[REMEMBERED:]
    return found
