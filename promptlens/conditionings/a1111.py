"""AUTOMATIC1111's stable-diffusion-webui.

With `h1 ... hn` the layers of an encoder and LN its final norm, a chunk is

    SD1    LN(h[n]), with clip skip k LN(h[n+1-k])
    SD2    LN(h[n-1]), whatever clip skip says
    SDXL   h[n-1] of both encoders without LN; clip skip counts for clip-l alone, and only with `sdxl_clip_l_skip`

and then weighted as _emphasis.py says, each encoder of SDXL on its own. SD1 was observed, SD2 and SDXL were read. Left out: the old
emphasis implementation, hypernetworks, and the padding that makes the prompt and the negative prompt equally long.
"""

from __future__ import annotations

from dataclasses import dataclass

from promptlens.conditionings import Conditioner, Job, Recipe
from promptlens.conditionings._asks import default_layer
from promptlens.conditionings._webui import webui_recipe
from promptlens.models import Encoder


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the webui that shape the tensor, named as in its config.json.

    sdxl_clip_l_skip  clip skip counts for SDXL's first encoder
    """

    sdxl_clip_l_skip: bool = False


def recipe(job: Job) -> Recipe:
    first = job.usage.model.encoders[0]

    def layer(encoder: Encoder) -> int:
        default = default_layer(encoder)
        skips = default == 1 or (job.options.sdxl_clip_l_skip and encoder is first and not encoder.final_norm)
        return job.clip_skip if job.clip_skip is not None and skips else default

    return webui_recipe(job, layer)


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="stable-diffusion-webui 1.10.0: modules/sd_hijack_clip.py, modules/sd_emphasis.py; SD1 observed, SD2 and SDXL read",
    options=Options,
)
