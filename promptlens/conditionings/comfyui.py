"""ComfyUI.

With `h1 ... hn` the layers of an encoder, LN its final norm, and `empty` the encoded empty prompt (padded as the encoder's windows are),
a chunk is

    z        SD1: LN(h[n]), SD2: LN(h[n-1]), SDXL: h[n-1] of both encoders without LN; CLIP Set Last Layer -k takes h[n+1-k] instead
    result   empty + (z - empty) * w, place by place; places of weight 1 are left as they are

each encoder of SDXL on its own. Set Last Layer past the encoder's layers gives LN(h[n]). Pooled is that of the first chunk, without
weights: of SD1 LN(h[n]) at EOS, of SDXL the same of clip-g after the projection; none is given for SD2, which has no use for it.
SD1 and SDXL were observed, the rest was read. Left out: nodes that combine conditionings.
"""

from __future__ import annotations

from promptlens.conditionings import Conditioner, Job, Recipe
from promptlens.conditionings._asks import only_line
from promptlens.conditionings._comfy_sides import line_recipe


def recipe(job: Job) -> Recipe:
    return line_recipe(job, only_line(job))


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="ComfyUI 0.3.64 (a125cd84): comfy/sd1_clip.py, comfy/sdxl_clip.py, comfy/clip_model.py; observed",
)
