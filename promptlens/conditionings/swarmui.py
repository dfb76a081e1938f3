"""SwarmUI, which leaves the encoding to ComfyUI: what is made of weights is in comfyui.py.

The sections between `<break>` are encoded one by one and joined along the positions; pooled is that of the first section. What a tag such
as `<segment:...>` begins is a prompt of its own, for another part of the work: `part` picks it. Of texts that change on the way
`until_step` picks one. Read in SwarmUI's SwarmTextHandling.py (`text_to_cond`), not observed; ComfyUI itself was.
"""

from __future__ import annotations

from promptlens.conditionings import Conditioner, Job, Recipe
from promptlens.conditionings._asks import check_part, line_at_step, parts_of
from promptlens.conditionings._comfy_sides import line_recipe


def recipe(job: Job) -> Recipe:
    parts = parts_of(job.usage.lines)
    check_part(job, len(parts))
    return line_recipe(job, line_at_step(job, parts[job.part]))


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="SwarmUI 0372f412: SwarmComfyCommon/SwarmTextHandling.py, with ComfyUI 0.3.64; read, not observed",
)
