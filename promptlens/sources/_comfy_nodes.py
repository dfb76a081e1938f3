"""What is known of ComfyUI's nodes: which take a prompt, which pass text on, and in which order their widgets are saved.

The UI's files save a node's widgets as a list without names; the names are in the program. Tables for nodes that have to do with text;
of other nodes nothing is guessed but that the first string of a text encoder is its text. Read in comfy_extras/nodes_*.py and nodes.py of
ComfyUI; counted over the 644 official workflow templates of comfyui_workflow_templates_json 0.1.123.
"""

from __future__ import annotations

# the names of the widgets of a node, in the order in which they are saved
WIDGETS: dict[str, tuple[str, ...]] = {
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeControlnet": ("text",),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CLIPTextEncodeHiDream": ("clip_l", "clip_g", "t5xxl", "llama"),
    "CLIPTextEncodeHunyuanDiT": ("bert", "mt5xl"),
    "CLIPTextEncodeKandinsky5": ("clip_l", "qwen25_7b"),
    "CLIPTextEncodeLumina2": ("system_prompt", "user_prompt"),
    "CLIPTextEncodePixArtAlpha": ("width", "height", "text"),
    "CLIPTextEncodeSD3": ("clip_l", "clip_g", "t5xxl", "empty_padding"),
    "CLIPTextEncodeSDXL": ("width", "height", "crop_w", "crop_h", "target_width", "target_height", "text_g", "text_l"),
    "CLIPTextEncodeSDXLRefiner": ("ascore", "width", "height", "text"),
    "ComfySwitchNode": ("switch",),
    "PrimitiveBoolean": ("value",),
    "PrimitiveFloat": ("value",),
    "PrimitiveInt": ("value",),
    "PrimitiveNode": ("value",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
    "StringConcatenate": ("string_a", "string_b", "delimiter"),
    "StringReplace": ("string", "find", "replace"),
    "StringTrim": ("string", "mode"),
}

# the fields of text encoders that hold a prompt, and the one encoder that reads it (None: all that the model has)
TEXT_FIELDS: dict[str, str | None] = {
    "text": None,
    "text_g": "clip-g",
    "text_l": "clip-l",
    "clip_l": "clip-l",
    "clip_g": "clip-g",
    "t5xxl": "t5-xxl",
    "llama": "llama",
    "bert": "bert",
    "mt5xl": "mt5-xl",
    "qwen25_7b": "qwen2.5-7b",
    "user_prompt": None,
    "prompt": None,
}

# nodes whose output is one of their inputs, unchanged
SAME_TEXT: dict[str, str] = {
    "PrimitiveBoolean": "value",
    "PrimitiveFloat": "value",
    "PrimitiveInt": "value",
    "PrimitiveString": "value",
    "PrimitiveStringMultiline": "value",
    "PreviewAny": "source",
    "StringConstant": "string",
}

REROUTES = ("Reroute",)
PRIMITIVE = "PrimitiveNode"
SET_NODE, GET_NODE = "SetNode", "GetNode"  # of KJNodes: a named wire; the browser resolves it
NOT_RUN = (*REROUTES, PRIMITIVE, SET_NODE, GET_NODE, "Note", "MarkdownNote")

ZEROED = "ConditioningZeroOut"  # what reaches it has no more meaning: the conditioning is set to zero

MUTED, BYPASSED = 2, 4  # values of a node's `mode`
SEEDS = ("seed", "noise_seed")  # widgets that are saved with a second one, control_after_generate


def is_text_encoder(node_type: str) -> bool:
    """Whether a node encodes text with CLIP: ComfyUI's own and those of others that are named like them."""
    return "cliptextencode" in node_type.replace("_", "").replace(" ", "").lower()
