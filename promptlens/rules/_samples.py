"""A prompt of the usual kind and of known length, for the rules' examples."""

from __future__ import annotations

# 72 tokens of CLIP's vocabulary, the last one a comma; with "warm shadows," they are 75, a full chunk.
SCENE = (
    "a lighthouse on a cliff above a stormy sea, waves breaking on black rocks, a small fishing boat with a red sail, gulls in the wind, "
    "dark clouds, rays of golden evening light, wet grass, a narrow path with a wooden fence, an old man in a yellow raincoat carrying a "
    "lantern, distant mountains, oil painting, thick brush strokes,"
)
FULL_SCENE = SCENE + " warm shadows,"

# 28 tokens: what is left of it when the boat is the last thing told.
SHORT_SCENE = "a lighthouse on a cliff above a stormy sea, waves breaking on black rocks, a small fishing boat with a red sail"
