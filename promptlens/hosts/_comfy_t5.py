"""T5 in ComfyUI: the same groups as for CLIP, in one window that is filled up and never cut.

Read in ComfyUI 0.3.64 (comfy/sd1_clip.py SDTokenizer; comfy/text_encoders/sd3_clip.py, flux.py, pixart_t5.py, hidream.py), not observed.
HiDream is the exception: T5 has batches of 128 slots there, of which only the first is used.
"""

from __future__ import annotations

from dataclasses import replace

from promptlens.hosts import EncoderUse, ParsedLine, Stream
from promptlens.hosts._comfy import LARGE_GROUP, PLACE_ID
from promptlens.hosts._t5 import never_cut, pack_other, t5_chunk
from promptlens.models import Encoder, Model
from promptlens.unigram import Build, UnigramTokenizer

# Slots that the window is filled up to: `min_length` of each model's T5XXLTokenizer.
LEAST = {"sd3": 77, "flux": 256, "chroma": 1, "pixart": 1}
# Slots of a window that is cut: `max_length`.
MOST = {"hidream": 128}


def pack_comfy_t5(line: ParsedLine, encoder: Encoder, model: Model, build: Build) -> EncoderUse:
    """What an encoder other than CLIP gets of a line whose fragments are groups."""

    def pack(tokenizer: UnigramTokenizer) -> EncoderUse:
        stream = Stream(tokenizer)
        groups: list[int] = []
        for fragment in line.fragments:
            before = len(stream)
            if fragment.kind == "embedding":
                stream.add_vectors(fragment, fragment.text, fragment.vectors, PLACE_ID)
            else:
                stream.add(fragment)
            groups.append(len(stream) - before)
        if model.family in MOST:
            return _first_window(stream, groups, encoder, MOST[model.family])
        return never_cut(stream, encoder, LEAST[model.family])

    return pack_other(encoder, build, pack)


def _first_window(stream: Stream, groups: list[int], encoder: Encoder, length: int) -> EncoderUse:
    """The first window alone. A group of fewer than 8 tokens that does not fit whole is not begun, and the window then stays short."""
    sized = replace(encoder, window=length)
    used = 0
    for group in groups:
        if used + group > sized.capacity:
            used = sized.capacity if group >= LARGE_GROUP else used
            break
        used += group
    count = len(stream)
    if used == count:
        return EncoderUse(sized, (t5_chunk(stream, 0, count, sized, "end", length),), (), None, stream)
    chunk = t5_chunk(stream, 0, used, sized, "full", used + 1)
    return EncoderUse(sized, (chunk,), ((used, count),), None, stream)
