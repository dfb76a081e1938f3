"""A large file of one prompt a line, looked at block by block: here, or by helper processes that say what they find in blocks of it."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.checking._crew import Crew, Request
from promptlens.checking._entries import Entries, Plan
from promptlens.checking._parcels import BlockParcel, unpacked
from promptlens.checking._sieve import Sieve
from promptlens.render import Clean, Item
from promptlens.sources import Block, Blocks, Format, Prompt, UnreadableFile, prompt_of_line
from promptlens.sources._document import Line

# The first block is looked at here: helpers that are copies of this process know then what most lines are made of.
FIRST_BLOCKS = 1


class LongFile:
    """The entries of a file. The first prompt of a run is an entry of its own: until it has `begun`, no prompt is only counted."""

    def __init__(self, blocks: Blocks, row: Format, sieve: Sieve, entries: Entries, *, begun: bool) -> None:
        self.blocks, self.row, self.sieve, self.entries = blocks, row, sieve, entries
        self.begun = begun

    def items(self, crew: Crew | None) -> Iterator[Item]:
        """What `check_file` gives, with numbers of prompts in which nothing is found."""
        try:
            for raw, answer in crew.answered(self._asked(crew)) if crew else ((raw, None) for raw in self.blocks.raw()):
                if isinstance(raw, UnreadableFile):
                    raise raw
                yield from self._here(raw) if answer is None else self._of_parcel(raw, answer)
        except UnreadableFile:  # what was read before is told all the same
            yield from self.entries.rest()
            raise
        yield from self.entries.rest()

    def _asked(self, crew: Crew) -> Iterator[tuple[bytes | UnreadableFile, Plan | None, Request | None]]:
        """The blocks, with what helpers are asked about them."""
        plan = self.entries.reader.plan
        number = crew.number(plan)
        for n, raw in enumerate(self.blocks.raw()):
            asks = self.begun and n >= FIRST_BLOCKS and isinstance(raw, bytes)
            yield raw, plan, ("lines", number, self.row.name, raw) if asks else None

    def _here(self, raw: bytes) -> Iterator[Item]:
        """The entries of a block."""
        block, sieve, entries = self.blocks.lines(raw), self.sieve, self.entries
        left, clean = sieve.left(block, self.begun) if isinstance(block, Block) else (block.lines, 0)
        for line in left:
            if self.begun and sieve.is_known(line.text):
                yield from entries.sent([Clean(1, entries.name)])  # at once: the next line may be one that cannot be read
                continue
            prompt = prompt_of_line(entries.name, line, self.row)
            if prompt is not None:
                yield from looked_at(prompt, sieve, entries, line.text if self.begun else None)
                self.begun = True
        if clean:
            yield from entries.sent([Clean(clean, entries.name)])

    def _of_parcel(self, raw: bytes, parcel: BlockParcel) -> Iterator[Item]:
        """The entries of a block, of which a helper says what is found in it."""
        start, number, entries = self.blocks.start, self.blocks.number, self.entries
        self.blocks.passed(raw, parcel.lines, parcel.chars)
        for line in parcel.left:
            prompt = prompt_of_line(entries.name, Line(line.text, start + line.start, number + line.number), self.row)
            if prompt is None:  # a helper sends those that have one
                continue
            if line.found is not None:
                yield from entries.entry(prompt, unpacked(prompt.text, line.found))
            elif self.sieve.is_known(line.text):
                yield from entries.sent([Clean(1, entries.name)])
            else:
                yield from looked_at(prompt, self.sieve, entries, line.text)
        if parcel.clean:
            yield from entries.sent([Clean(parcel.clean, entries.name)])


def looked_at(prompt: Prompt, sieve: Sieve, entries: Entries, line: str | None) -> Iterator[Item]:
    """What is found in a prompt, and a number if that is nothing; `line` is what its file says (None: it is to be an entry)."""
    found = sieve.judged(prompt, entries)
    if found.clean and line is not None:
        sieve.add_clean(line)
        yield from entries.sent([Clean(1, entries.name)])
        return
    yield from entries.entry(prompt, found)
