"""What reports say, in plain words: why a chunk ended, counts, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptlens.hosts import Cut, EncoderUse, Fragment
from promptlens.report import Line, Usage

# What a chunk ended with. {word} is there when the cut goes through a word.
_REASONS: dict[Cut, str] = {
    "end": "the prompt ends here",
    "full": "full",
    "comma": "ends at its last comma",
    "break": "ended by BREAK",
    "group": "the next group moves on whole",
    "sentence": "ends at its last full stop",
    "vectors": "the next embedding does not fit",
    "text": "the next text begins a new chunk",
}

_REMOVED = {
    "comment": "Comments, never read",
    "network": "Extra networks, taken out of the text",
    "missing": "Embeddings that are not installed, ignored",
    "ignored": "Text the host never reads",
}


def many(count: int, noun: str) -> str:
    """A number with its noun.

    >>> many(1, "token"), many(12000, "token")
    ('1 token', '12,000 tokens')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Names joined as in a sentence.

    >>> listed(["CLIP-L", "CLIP-G", "T5-XXL"])
    'CLIP-L, CLIP-G and T5-XXL'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def encoder_name(use: EncoderUse) -> str:
    """An encoder as people write it: CLIP-L."""
    return use.encoder.name.upper()


def why_ended(use: EncoderUse, number: int, cut_word: str) -> str:
    """Why chunk `number` (from 0) ended; `cut_word` is the word that the cut goes through, in quotes, or nothing."""
    chunk = use.chunks[number]
    last = number == len(use.chunks) - 1
    loses = any(start == chunk.stop for start, _ in use.lost_places)
    said = [_REASONS[chunk.cut]]
    if chunk.cut == "end" and not chunk.used:
        said = ["nothing left to read" if number else "no words"]
    elif chunk.cut == "end" and any(later.used for later in use.chunks[number + 1 :]):
        said = ["this text ends here"]
    elif loses:
        said = ["full, the rest is lost" if chunk.cut == "full" else "the rest of this chunk is lost"]
    empty = use.encoder.capacity - chunk.used
    if not last and empty > 0:
        said.append(f"{many(empty, 'place')} {'wasted' if chunk.cut == 'break' else 'empty'}")
    if cut_word:
        said.append(f"cuts {cut_word} in two")
    return ", ".join(said)


def chunk_sizes(use: EncoderUse, most: int) -> str:
    """How many chunks there are, and the tokens in each: `2: 71|54`; of more than `most` the first ones and the last."""
    sizes = [str(chunk.used) for chunk in use.chunks]
    if len(sizes) > most:
        sizes = [*sizes[: most - 2], "…", sizes[-1]]
    return f"{len(use.chunks):,}: {'|'.join(sizes)}" if sizes else "none"


def counter(use: EncoderUse) -> str:
    """Tokens and the room for them, as the host's own counter puts it where it has one: `97/150`."""
    capacity = use.encoder.capacity
    count = use.used if use.shown_count is None else use.shown_count
    room = max(use.capacity, capacity)
    if count > room and not use.lost_places:
        room = -(-count // capacity) * capacity  # an embedding longer than a window
    return f"{count:,}/{room:,}"


def summary_in_words(usage: Usage, use: EncoderUse, names: str) -> str:
    """What an encoder does that gives a model one vector, and which encoders the words themselves go through."""
    others = listed([e.name.upper() for e in usage.model.encoders if not e.summary_only])
    rest = sum(chunk.used for chunk in use.chunks[1:])
    said = f"{usage.model.title} takes one vector of {names} for the whole prompt"
    if not rest:
        return f"{said}; word by word it is read through {others}."
    return f"{said}, made of the first chunk: the {many(rest, 'token')} after it are read through {others} alone."


def readers_in_words(readers: Sequence[EncoderUse]) -> str:
    """That encoders still read what others lose: `; T5-XXL still reads them`."""
    if not readers:
        return ""
    if any(use.unknown for use in readers):
        return f"; {listed([encoder_name(use) for use in readers])} may still read them"
    return f"; {listed([encoder_name(use) for use in readers])} still {'reads' if len(readers) == 1 else 'read'} them"


def removed_reason(fragment: Fragment) -> str:
    """Why a host took a piece out of the prompt."""
    return _REMOVED.get(fragment.kind, "Taken out of the text")


def options_in_words(usage: Usage) -> str:
    """The host options that are not at their defaults: `emphasis=None, embeddings: 3`."""
    options = usage.options
    if options is None:
        return ""
    usual = usage.host.options()
    said = []
    for name in usage.host.options.__dataclass_fields__:
        value = getattr(options, name)
        if value == getattr(usual, name) or name == "negative":
            continue
        said.append(f"{name}: {len(value)}" if isinstance(value, Mapping) else f"{name}={value}")
    return ", ".join(said)


def line_in_words(line: Line, several_parts: bool) -> str:
    """What a text of a prompt is used for: `part 2, weight 0.5, steps 1-10`."""
    parsed = line.parsed
    said = [f"part {parsed.part + 1}"] if several_parts else []
    if parsed.weight != 1.0:
        said.append(f"weight {parsed.weight:g}")
    if parsed.steps:
        shown = [str(a) if a == b else f"{a}-{b}" for a, b in parsed.steps]
        if len(shown) > 4:
            shown = [*shown[:3], "…", shown[-1]]
        said.append(f"step{'' if shown[0].isdigit() and len(shown) == 1 else 's'} {', '.join(shown)}")
    return ", ".join(said)
