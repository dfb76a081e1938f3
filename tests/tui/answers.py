"""Answers of the text encoder in the form that its process gives them, made up without one."""

from __future__ import annotations

from typing import Any

from promptlens.tui.encoding import Encoding, Message

WEIGHTS = (
    {
        "encoder": "clip-l",
        "path": "/models/clip_l.safetensors",
        "precision": "fp16",
        "bytes": 246_144_152,
        "source": "ComfyUI",
    },
    {
        "encoder": "clip-g",
        "path": "/models/絵 [xl].safetensors",
        "precision": "fp16",
        "bytes": 6_938_040_682,
        "source": "A1111",
    },
)


def influence(question: Message) -> Message:
    """Every word of the prompt, the longest first; one of one or two letters does no more than a comma."""
    text, units = question["text"], []
    for word in sorted(text.split(), key=len, reverse=True):
        at = text.index(word)
        step = min(len(word), 9) if len(word) > 2 else 0
        units.append({"span": [at, at + len(word)], "label": word, "score": len(word) / 50, "step": step, "band": "high"})
        units[-1] |= {"moved": False, "lost": False, "tokens": 1}
    used = [{"encoder": "clip-l", "path": "clip_l.safetensors", "precision": "fp16"}]
    floor = ["Noise floor 0.0010: the effect of the comma."]
    facts = {"weights": used, "problems": [], "approximate": False, "floor": floor, "left_out": []}
    return facts | {name: question[name] for name in ("unit", "lens", "method")} | {"units": units}


def similarity(text: str, *, approximate: bool = False) -> Message:
    """Phrases at the commas; a and b are |a - b| / 10 apart, and a is a / 20 from the whole."""
    labels = [part.strip() for part in text.split(",")]
    spans = [[text.index(label), text.index(label) + len(label)] for label in labels]
    count = range(len(labels))
    values = [[max(1 - abs(a - b) / 10, 0.1) for b in count] for a in count]
    facts = {"weights": [], "problems": [], "approximate": approximate, "unit": "tag", "encoder": "clip-g", "projected": True}
    return facts | {"labels": labels, "spans": spans, "values": values, "whole": [max(1 - a / 20, 0.1) for a in count]}


class Answering(Encoding):
    """Answers at once."""

    async def ask(self, question: Message, progress: Any = None) -> Message:
        if question["do"] == "weights":
            return {"weights": list(WEIGHTS), "problems": []}
        return influence(question) if question["do"] == "influence" else similarity(question["text"])
