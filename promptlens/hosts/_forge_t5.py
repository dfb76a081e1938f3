"""T5 in Forge: chunks of any length, parted by BREAK alone, all filled up to the longest and to at least 256 slots.

Read in backend/text_processing/t5_engine.py (cc378589) and backend/diffusion_engine/flux.py (d50f390c), sd35.py, chroma.py of
stable-diffusion-webui-forge, not observed. Its counter counts the prompt as it is typed, brackets and BREAK included, and shows 255 at
least as the room.
"""

from __future__ import annotations

from dataclasses import replace

from promptlens.hosts import Cut, EncoderUse, ParsedLine, Stream
from promptlens.hosts._t5 import pack_other, t5_chunk
from promptlens.models import Encoder, Model
from promptlens.unigram import UnigramTokenizer

LEAST = {"flux": 256, "sd3": 256, "chroma": 1}


def pack_forge_t5(line: ParsedLine, encoder: Encoder, model: Model) -> EncoderUse:
    """What T5 gets of a line; the number is the one that the page shows."""

    def pack(tokenizer: UnigramTokenizer) -> EncoderUse:
        stream = Stream(tokenizer)
        ends: list[tuple[int, Cut]] = []
        for fragment in line.fragments:
            if fragment.kind == "break":
                ends.append((len(stream), "break"))
            else:
                stream.add(fragment)
        if not ends or len(stream) > ends[-1][0]:
            ends.append((len(stream), "end"))
        starts = [0, *(end for end, _ in ends)]
        length = max(LEAST[model.family], *(end - start + 1 for start, (end, _) in zip(starts, ends, strict=False)))
        sized = replace(encoder, window=length)
        chunks = tuple(t5_chunk(stream, start, end, sized, cut, length) for start, (end, cut) in zip(starts, ends, strict=False))
        return EncoderUse(sized, chunks, (), tokenizer.count(line.text), stream)

    return pack_other(encoder, "4", pack)
