"""TB404: the main subject comes after all the praise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial

from promptlens.report import Edit, Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._brackets import readable
from promptlens.rules._needs import Needs
from promptlens.rules._tags import Tag, deletion, normal, outer_tags
from promptlens.rules._words import shown
from promptlens.spans import Span

# What people write in front of the subject: praise, sharpness, media, sites, scores. A tag made of nothing else is no subject.
_PRAISE_WORDS = """
    a an and at by in of on the with from for to very extremely ultra super hyper highly insanely incredibly most more
    masterpiece masterwork best amazing good great high higher highest top quality resolution res detail details detailed detailing
    intricate intricately sharp sharply focus focused crisp clear clean fine finely hd uhd fhd hdr qhd 2k 4k 8k 16k 32k dpi dslr raw
    photo photos photograph photography photographic photorealistic photorealism realistic realism hyperrealistic hyperrealism
    ultrarealistic lifelike picture image images shot still film cinematic cinema movie dramatic epic beautiful stunning gorgeous
    breathtaking perfect professional professionally award winning awarded absurdres highres lowres official art artwork artistic
    illustration illustrated drawing painting painted digital concept oil watercolor watercolour sketch anime manga render rendered
    rendering 3d 2d cg cgi unity unreal engine octane vray blender artstation deviantart pixiv trending featured popular lighting light
    lights lit volumetric global illumination ray traced tracing depth field bokeh rule thirds composition texture textures textured
    smooth vibrant vivid colors colours color colour colorful colourful rich contrast wallpaper aesthetic style styled newest recent
    latest year score source rating safe sfw nsfw up uncropped cover ultradetailed superb excellent exquisite elegant elaborate
    soft hard natural studio rim backlit backlighting lit film grain grainy noise fujifilm xt3 nikon canon sony leica hasselblad kodak
    portra lens 24mm 35mm 50mm 85mm 100mm macro telephoto shallow vignette vignetting cinemascope moody budget production exposure iso
    uncompressed     glossy matte skin pores closeup
    hyperdetailed ultra-detailed hyper-detailed high-quality high-resolution ultra-realistic photo-realistic award-winning
    """
_PRAISE = frozenset(_PRAISE_WORDS.split())
_WORD = re.compile(r"[\w-]+")
_TRAILING = "-_"
# What tags end at too, where it is written in capitals.
_PART_WORDS = frozenset({"and", "break"})


@rule(
    "TB404",
    "late-subject",
    "info",
    summary="the main subject begins late in the prompt",
    why="The first words of a prompt move the picture the most: the encoder reads from left to right, and each word is read in "
    "the light of those before it. Measurements on CLIP put the length it makes good use of at about 20 tokens (Long-CLIP). "
    "When praise and technique fill those (subject_by), the subject itself has little to say. Only what is made of such words"
    " alone is passed over in looking for it.",
    wrong=Example(
        "masterpiece, best quality, highly detailed, ultra sharp focus, 8k, photorealistic, trending on artstation, award winning, a lynx"
    ),
    right=Example("a lynx, masterpiece, best quality, highly detailed, ultra sharp focus, 8k, photorealistic, trending on artstation"),
    needs=lambda settings, room: Needs(
        "", settings.subject_by if settings.role == "positive" else None, partial(_may_be_late, settings.subject_by)
    ),
)
def late_subject(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    use = usage.encoders[0]
    if settings.template or "{prompt}" in usage.prompt:  # a style: the subject is what the user types
        return
    if use.used <= settings.subject_by or settings.role != "positive" or getattr(usage.options, "negative", False):
        return
    prompt = usage.prompt
    if use.stream is None or not _is_praise(prompt.partition(",")[0]):  # most prompts begin with their subject
        return
    tags = outer_tags(usage, readable(usage))
    subject = next((tag for tag in tags if not _is_praise(prompt[tag.start : tag.end])), None)
    if subject is None or use.stream.tokenizer.count(prompt[: subject.start]) < settings.subject_by:
        return
    before = use.tokens_before(subject.start)
    if before >= settings.subject_by:
        text = shown(prompt[subject.start : subject.end], 40)
        message = f"the subject, {text}, begins after {before} tokens; the first {settings.subject_by} move the picture the most"
        yield Hit(Span(subject.start, subject.end), message, "Move it to the front.", _to_the_front(usage, tags, subject), before)


@lru_cache(maxsize=4096)
def _is_praised(word: str) -> bool:
    return _is_praise(word)


def _may_be_late(subject_by: int, folded: str, words: list[str], tokens_of: Callable[[str], int]) -> bool:
    """Whether so many tokens may come before the first tag with a word in it that is no praise."""
    before = reached = 0  # tokens before the tag, and before the word
    for word in words:
        head, comma, glued = word.partition(",")
        if not _is_praised(head):
            return before >= subject_by
        reached += tokens_of(word)
        if glued:
            return True
        if comma or word in _PART_WORDS:
            before = reached
    return before >= subject_by


def _plain(word: str) -> str:
    return word.casefold().strip(_TRAILING)


def _is_praise(tag: str) -> bool:
    """True when every word of the tag is praise, technique or a number."""
    words = [_plain(word) for word in _WORD.findall(normal(tag))]
    return all(not word or word in _PRAISE or word.isdigit() for word in words)


def _to_the_front(usage: Usage, tags: list[Tag], subject: Tag) -> Edit | None:
    """The subject before everything else, in one edit; None where the prompt has parts or unpaired brackets before it."""
    start, end = tags[0].start, subject.end
    stretch = usage.prompt[start:end]
    if subject.section != tags[0].section or any(stretch.count(a) != stretch.count(b) for a, b in ("()", "[]", "{}")):
        return None
    gone = deletion(usage.prompt, subject.start, subject.end)
    if gone.start < start or gone.end > end:
        return None
    return Edit(Span(start, end), f"{usage.prompt[subject.start : end]}, {usage.prompt[start : gone.start]}", safe=False)
