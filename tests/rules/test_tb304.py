"""Special tokens written out."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces

FIRES = {
    "an end token": Says(Case("a cat<|endoftext|>, a dog"), ["<|endoftext|>"], "a cat, a dog"),
    "a start token between words": Says(Case("cat<|startoftext|>dog", "diffusers"), ["<|startoftext|>"], "cat dog"),
    "several of them": Says(Case("a<|endoftext|> b<|endoftext|> c"), ["<|endoftext|>", "<|endoftext|>"], "a b c"),
    "in capitals where they are folded": Says(Case("a cat <|EndOfText|>"), ["<|EndOfText|>"], "a cat"),
    "open_clip's own, in SD2": Says(Case("a cat <end_of_text> b", model="sd21"), ["<end_of_text>"], "a cat b"),
    "open_clip's own, in SDXL's second encoder": Says(Case("a cat <start_of_text>", model="sdxl"), ["<start_of_text>"], "a cat"),
    "one that only cleaning brings to light": Says(Case("a cat &lt;end_of_text&gt;", model="sd21"), ["&lt;end_of_text&gt;"], "a cat"),
}

SILENT = {
    "open_clip's own where it is text": Case("a cat <end_of_text>"),
    "Hugging Face's where open_clip reads": Case("a cat <|endoftext|>", model="sd21"),
    "open_clip's own in ComfyUI": Case("a cat <end_of_text>", "comfyui", "sdxl"),
    "an end token of HTML": Case("a cat </s> <b>"),
    "half of one": Case("a cat <|endof"),
    "one in a comment": Case("a cat # <|endoftext|>"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB304", says.case) == says.pieces
    assert after("TB304", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB304", case) == []
