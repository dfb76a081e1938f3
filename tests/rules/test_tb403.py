"""Characters that are not what they seem."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces

FIRES = {
    "a zero-width space": Says(Case("a red\u200bcar"), ["\u200b"], "a redcar"),
    "a soft hyphen": Says(Case("photo\u00adrealism", "diffusers"), ["\u00ad"], "photorealism"),
    "a byte order mark": Says(Case("\ufeffa cat", "diffusers"), ["\ufeff"], "a cat"),
    "a control character": Says(Case("a c\x00at", "diffusers"), ["\x00"], "a cat"),
    "marks of direction": Says(Case("a \u202ecat\u202c", "diffusers"), ["\u202e", "\u202c"], "a cat"),
    "full-width letters": Says(Case("\uff21\uff22\uff23 cat", "comfyui"), ["\uff21\uff22\uff23"], "ABC cat"),
    "a full-width comma": Says(Case("cat\uff0cdog", "comfyui"), ["\uff0c"], "cat,dog"),
    "Cyrillic letters in an English word": Says(Case("a c\u0430t"), ["c\u0430t"], "a cat"),
    "a wrong encoding": Says(Case("a caf\u00c3\u00a9", "comfyui"), ["caf\u00c3\u00a9"], "a caf\u00e9"),
    "a curly apostrophe": Says(Case("a cat\u2019s eye", "comfyui"), ["\u2019"], "a cat's eye"),
    "a lost character": Says(Case("a caf\ufffd", "diffusers"), ["\ufffd"]),
}

SILENT = {
    "plain text with line breaks": Case("a cat,\n\ta dog"),
    "what the host cleans up: ftfy straightens apostrophes": Case("a cat\u2019s eye", "a1111"),
    "what the host cleans up: ComfyUI drops zero-width spaces": Case("a red\u200bcar", "comfyui"),
    "what the host cleans up: ftfy mends a wrong encoding": Case("a caf\u00c3\u00a9", "a1111"),
    "accents": Case("caf\u00e9, na\u00efve", "comfyui"),
    "a joiner in an emoji": Case("\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f", "diffusers"),
    "a joiner in Persian": Case("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "diffusers"),
    "Russian": Case("\u043a\u043e\u0442 \u043d\u0430 \u043a\u0440\u044b\u0448\u0435", "diffusers"),
    "Chinese punctuation in Chinese": Case("\u732b\uff0c\u72d7", "comfyui"),
    "a no-break space": Case("a\u00a0cat", "diffusers"),
    "dashes and quotation marks": Case("a cat \u2014 \u201cTom\u201d", "comfyui"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB403", says.case) == says.pieces
    assert after("TB403", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB403", case) == []
