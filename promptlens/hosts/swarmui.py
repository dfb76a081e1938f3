"""SwarmUI.

Its tags (`<lora:...>`, `<random:...>`, `<segment:...>` and more) are worked out first; what is left is read by ComfyUI. `<break>` parts the
text into sections that are encoded apart and joined. What a section tag begins is a prompt of its own, for another part of the work.
Read in its code and documents, not observed. Left out: presets, wildcard files, trigger phrases, and what is drawn at random.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from promptlens.hosts import EncoderUse, Fragment, Host, Parsed, ParsedLine
from promptlens.hosts._comfy import pack_groups
from promptlens.hosts._comfy_derived import derived_groups
from promptlens.hosts._comfy_t5 import pack_comfy_t5
from promptlens.hosts._join import pack_sections
from promptlens.hosts._options import check_embeddings, check_range
from promptlens.hosts._rewrite import Derived
from promptlens.hosts._swarm import Expander
from promptlens.hosts._swarm_text import section_texts
from promptlens.models import CLIP_FAMILIES, Encoder, Model
from promptlens.tokens import Reading, tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """What shapes the windows in SwarmUI.

    embeddings  files in the embeddings folder: {name: vectors}, name relative to it; or the folder
    steps       sampling steps, for texts that change on the way
    """

    embeddings: Mapping[str, int] = field(default_factory=dict)
    steps: int = 20

    def __post_init__(self) -> None:
        check_range(self, "steps", 1, 1000)
        check_embeddings(self)


_READING = Reading("slow")
_BREAK = re.compile("<break>", re.IGNORECASE)


def parse(text: str, options: Options) -> Parsed:
    expander = Expander(options.embeddings, options.steps)
    lines: list[ParsedLine] = []
    for part, section in enumerate(expander.sections(Derived(text))):
        for derived, steps in section_texts(section, options.steps):
            fragments = tuple(_fragments(derived, options, expander.removed))
            lines.append(ParsedLine(derived.text, fragments, part, steps=steps, label=section.label, counted=part == 0))
    return Parsed(tuple(lines), tuple(sorted(expander.removed, key=lambda f: f.span)))


def _fragments(text: Derived, options: Options, removed: list[Fragment]) -> Iterator[Fragment]:
    """The groups of each section, and the breaks between them."""
    done = 0
    for match in [*_BREAK.finditer(text.text), None]:
        groups, missing = derived_groups(text.cut(done, match.start() if match else len(text.text)), embeddings=options.embeddings)
        removed += missing
        yield from groups
        if match:
            gone = text.cut(*match.span())
            yield Fragment(gone.text, kind="break", origin=gone.origin)
            done = match.end()


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    if encoder.vocabulary != "clip":
        return pack_sections(line, lambda section: pack_comfy_t5(section, encoder, model, "4"))
    return pack_sections(line, lambda section: pack_groups(section, encoder, tokenizer(_READING)))


HOST = Host(
    name="swarmui",
    title="SwarmUI",
    parse=parse,
    pack=pack,
    options=Options,
    reference="SwarmUI 0372f412: docs/Features/Prompt Syntax.md, T2IPromptHandling.cs, SwarmTextHandling.py; read, not observed",
    summary="As ComfyUI, after its tags are worked out; <break> starts a new chunk. Read, not observed.",
    syntax=frozenset({"round", "weight", "tag", "network", "schedule", "embedding-tag", "embedding-prefix"}),
    observed=False,
    families=CLIP_FAMILIES | {"cascade", "sd3", "flux", "chroma", "pixart", "hidream"},
)
