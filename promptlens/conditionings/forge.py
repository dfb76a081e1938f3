"""Forge.

With `h1 ... hn` the layers of an encoder and LN its final norm, a chunk with clip skip k is

    SD1    LN(h[n+1-k])
    SD2    LN(h[n+1-max(k, 2)]): its text encoder comes without the last layer, which is why k counts from the layer before it
    SDXL   h[n+1-max(k, 2)] of both encoders without LN

and then weighted as _emphasis.py says, each encoder of SDXL on its own. SD1 and SDXL were observed, SD2 was read. Left out: the 1,536
numbers that SDXL's pooled vector is lengthened with (sizes and crops of the picture).
"""

from __future__ import annotations

from promptlens.conditionings import Conditioner, Job, Recipe
from promptlens.conditionings._asks import default_layer
from promptlens.conditionings._webui import webui_recipe


def recipe(job: Job) -> Recipe:
    return webui_recipe(job, lambda encoder: max(job.clip_skip or 1, default_layer(encoder)))


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="stable-diffusion-webui-forge dfdcbab6: backend/text_processing (classic_engine.py, emphasis.py), backend/diffusion_engine; "
    "observed",
)
