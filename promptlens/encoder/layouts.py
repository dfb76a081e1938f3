"""Which text encoders a set of tensors holds, and under which names: every layout that users have on disk.

Two families of names exist, transformers' and open_clip's, under a prefix that says what kind of file it is. Files are told
apart by names and shapes alone. It leaves out reading the tensors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from promptlens.encoder.catalog import encoder_of_width
from promptlens.encoder.header import Entries
from promptlens.models import ENCODERS
from promptlens.vocab import SIZE


@dataclass(frozen=True, slots=True)
class Family:
    """One way to name an encoder's tensors. Names of parts end in `.weight` and `.bias`, of `joined` (query, key and value in
    one matrix, in this order) in `_weight` and `_bias`."""

    tokens: str
    places: str
    final_norm: str
    layer: str
    norm1: str
    out: str
    norm2: str
    fc1: str
    fc2: str
    separate: tuple[str, str, str] | None = None
    joined: str | None = None

    def layer_names(self, number: int) -> tuple[str, ...]:
        """Names of all tensors of one layer."""
        parts = [self.norm1, self.out, self.norm2, self.fc1, self.fc2, *(self.separate or ())]
        names = [f"{part}.{kind}" for part in parts for kind in ("weight", "bias")]
        if self.joined:
            names += [f"{self.joined}_weight", f"{self.joined}_bias"]
        return tuple(self.layer.format(number) + name for name in names)


FAMILIES: dict[str, Family] = {
    "transformers": Family(
        tokens="embeddings.token_embedding.weight",
        places="embeddings.position_embedding.weight",
        final_norm="final_layer_norm",
        layer="encoder.layers.{}.",
        norm1="layer_norm1",
        out="self_attn.out_proj",
        norm2="layer_norm2",
        fc1="mlp.fc1",
        fc2="mlp.fc2",
        separate=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    ),
    "open_clip": Family(
        tokens="token_embedding.weight",
        places="positional_embedding",
        final_norm="ln_final",
        layer="transformer.resblocks.{}.",
        norm1="ln_1",
        out="attn.out_proj",
        norm2="ln_2",
        fc1="mlp.c_fc",
        fc2="mlp.c_proj",
        joined="attn.in_proj",
    ),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """A kind of file, known by the prefix of its names; `encoder` is what that prefix always holds, None where it may be any."""

    prefix: str
    family: str
    title: str
    encoder: str | None = None


LAYOUTS: tuple[Layout, ...] = (
    Layout("cond_stage_model.transformer.text_model.", "transformers", "Stable Diffusion 1 checkpoint", "clip-l"),
    Layout("cond_stage_model.transformer.", "transformers", "Stable Diffusion 1 checkpoint", "clip-l"),
    Layout("cond_stage_model.model.", "open_clip", "Stable Diffusion 2 checkpoint", "clip-h"),
    Layout("conditioner.embedders.0.transformer.text_model.", "transformers", "SDXL checkpoint", "clip-l"),
    Layout("conditioner.embedders.0.model.", "open_clip", "SDXL refiner checkpoint", "clip-g"),
    Layout("conditioner.embedders.1.model.", "open_clip", "SDXL checkpoint", "clip-g"),
    Layout("conditioner.embedders.1.transformer.text_model.", "transformers", "SDXL checkpoint", "clip-g"),
    Layout("text_encoders.clip_l.transformer.text_model.", "transformers", "checkpoint with text encoders", "clip-l"),
    Layout("text_encoders.clip_g.transformer.text_model.", "transformers", "checkpoint with text encoders", "clip-g"),
    Layout("text_model.", "transformers", "text encoder"),
    Layout("transformer.text_model.", "transformers", "text encoder"),
    Layout("transformer.", "transformers", "text encoder"),
    Layout("", "transformers", "text encoder"),
    Layout("", "open_clip", "open_clip text encoder"),
    Layout("text.", "open_clip", "open_clip text encoder"),
    Layout("model.", "open_clip", "open_clip text encoder"),
)
# Names of the picture half: a file that has some is a whole CLIP.
PICTURE_PREFIXES = ("vision_model.", "visual.")


@dataclass(frozen=True, slots=True)
class Holding:
    """A text encoder found among tensors. `encoder` is None where neither its width nor its names say which it is.

    `projection` is the name of the matrix into the space shared with pictures. open_clip stores it the other way round from
    transformers: `projection_turned` says so.
    """

    layout: str
    family: Family
    prefix: str
    width: int
    layers: int
    positions: int
    encoder: str | None
    projection: str | None
    projection_turned: bool
    names: tuple[str, ...]
    bytes: int
    precision: str


def find_holdings(entries: Entries) -> tuple[Holding, ...]:
    """All text encoders among tensors, in the order of their names; CLIP's vocabulary is what tells them from others."""
    holdings = []
    for name, entry in sorted(entries.items()):
        for family_name, family in FAMILIES.items():
            prefix = name.removesuffix(family.tokens)
            if prefix == name or (family_name == "open_clip" and prefix.endswith("embeddings.")):
                continue
            if len(entry.shape) == 2 and entry.shape[0] == SIZE and (holding := _holding(entries, family_name, prefix)):
                holdings.append(holding)
    return tuple(holdings)


def _holding(entries: Entries, family_name: str, prefix: str) -> Holding | None:
    family = FAMILIES[family_name]
    width = entries[prefix + family.tokens].shape[1]
    places = entries.get(prefix + family.places)
    layers = 0
    while prefix + family.layer_names(layers)[0] in entries:
        layers += 1
    if places is None or len(places.shape) != 2 or layers == 0:
        return None
    layout = next((x for x in LAYOUTS if x.prefix == prefix and x.family == family_name), None)
    projection, turned = _projection(entries, prefix)
    names = [prefix + family.tokens, prefix + family.places, *(f"{prefix}{family.final_norm}.{kind}" for kind in ("weight", "bias"))]
    names += [prefix + name for n in range(layers) for name in family.layer_names(n)]
    present = [entries[name] for name in [*names, *([projection] if projection else [])] if name in entries]
    return Holding(
        layout=_title(layout, entries),
        family=family,
        prefix=prefix,
        width=width,
        layers=layers,
        positions=places.shape[0],
        encoder=encoder_of_width(width) or (layout.encoder if layout else None),
        projection=projection,
        projection_turned=turned,
        names=tuple(names),
        bytes=sum(e.bytes for e in present),
        precision=precision_title(e.dtype for e in present),
    )


def _title(layout: Layout | None, entries: Entries) -> str:
    if layout is None:
        return "checkpoint"
    if layout.encoder is None and any(name.startswith(PICTURE_PREFIXES) for name in entries):
        return "whole CLIP"
    return layout.title


def _projection(entries: Entries, prefix: str) -> tuple[str | None, bool]:
    """Name of the projection, and whether it is stored as (width, projection width): open_clip's way, without `.weight`."""
    for stem in dict.fromkeys((prefix, prefix.removesuffix("text_model."))):
        for name, turned in ((f"{stem}text_projection.weight", False), (f"{stem}text_projection", True)):
            if name in entries and len(entries[name].shape) == 2:
                return name, turned
    return None, False


def precision_title(dtypes: Iterable[str]) -> str:
    """fp32, fp16, bf16 ... or several of them, the most frequent first.

    >>> precision_title(["F16", "F16", "F32"])
    'fp16 + fp32'
    """
    counts: dict[str, int] = {}
    for dtype in dtypes:
        counts[dtype] = counts.get(dtype, 0) + 1
    short = {"F32": "fp32", "F16": "fp16", "BF16": "bf16", "F64": "fp64"}
    return " + ".join(short.get(d, d.lower()) for d in sorted(counts, key=lambda d: -counts[d]))


def is_whole(holding: Holding) -> bool:
    """Whether it has CLIP's 77 positions; Long-CLIP and others have more and are other encoders."""
    return holding.positions == ENCODERS["clip-l"].window
