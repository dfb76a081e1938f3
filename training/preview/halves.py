"""Matrix products in bfloat16 where the processor has instructions for them: they take half the time there. All else stays in float32."""

from __future__ import annotations

import torch


def halved(device: torch.device | str) -> torch.autocast:
    """A block whose matrix products are in bfloat16, if `device` is a processor that can. A GPU is quick enough as it is."""
    kind = torch.device(device).type
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=kind == "cpu" and has_halves())


def has_halves() -> bool:
    """Whether this processor multiplies bfloat16 itself; one that does not is slower with them."""
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
