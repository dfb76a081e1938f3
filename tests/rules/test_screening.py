"""What passes the screen has no findings and loses no word: in every host, for every rule, under all settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from golden_data import real, recordings, synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_prompts import CASES, EAGER, LIGHT, PROMPTS

from promptlens import HOSTS, MODELS
from promptlens.hosts import hosts_for
from promptlens.job import Job
from promptlens.models import get_model
from promptlens.rules import DEFAULT_SETTINGS, RULES, Role, RuleSettings, Selection

WORDS = st.sampled_from(
    [
        *("a", "cat", "red", "Red", "masterpiece", "8k", "hdr", "of", "photorealism", "1girl", "solo", "AND", "and", "BREAK", "break"),
        *("cat,", "solo,", "best", "quality,", ",", ",,", "!", "!!", '!"', "it's", "a-b", "--", "++", "12345", "1234", "x_y", "16:9"),
        *("&", "best quality, masterpiece, highly detailed, sharp focus,", "ultra-detailed 8k hdr", "best,quality", "x&amp;y", "&lt;"),
        *("(cat)", "{a}", "c:\\d", "#1", "R&D", "<x>", "embedding:x", "~", "`", "antidisestablishmentarianism", "\u200b", "é", ".", "..."),
        *("very very very", "red hair, red hair", "a b a b", "a " * 30, "photorealism " * 20, "  ", "\t", "\x1c", "\u3000"),
    ]
)
TEXTS = st.one_of(PROMPTS, st.lists(WORDS, max_size=30).map(" ".join), st.lists(WORDS, max_size=80).map(" ".join))
ROLES: tuple[Role, ...] = get_args(Role)
# Settings at which rules find something early, or late, or for another kind of prompt.
LIMITS = [
    DEFAULT_SETTINGS,
    EAGER,
    replace(EAGER, template=False, max_chunks=None, max_tokens=10, subject_by=4),
    RuleSettings(near_limit=1.0, tail_tokens=0, costly_tokens=0),
    RuleSettings(near_limit=0.0, subject_by=0, max_tokens=75),
]
JOBS = [
    (host, model, options)
    for host, options in CASES
    for model in ("sd15", "sdxl", "sd21")
    if model in MODELS and host in hosts_for(get_model(model))
]


def check(job: Job, role: Role, text: str) -> bool:
    """Whether a text passes; then nothing may be found in it."""
    screen = job.screen(role)
    if screen is None or not screen.passes(text):
        return False
    report = job.analysis(role)(text)
    assert report.findings == (), text
    assert report.ok, text
    assert report.usage.failure is None, text
    for use in report.usage.encoders:
        assert not use.lost_places
        assert [chunk.used > 0 for chunk in use.chunks] == [True] + [False] * (len(use.chunks) - 1), text
    return True


@pytest.mark.parametrize(("host", "model", "options"), JOBS, ids=[f"{h}-{m}-{'-'.join(map(str, o)) or 'default'}" for h, m, o in JOBS])
@settings(LIGHT, max_examples=60)
@given(text=TEXTS, limits=st.sampled_from(LIMITS), role=st.sampled_from(ROLES), codes=st.sampled_from([(), *((c,) for c in RULES)]))
def test_nothing_is_found_in_what_passes(
    host: str, model: str, options: dict[str, Any], text: str, limits: RuleSettings, role: Role, codes: tuple[str, ...]
) -> None:
    check(Job(host, model, chosen=options, rules=Selection(codes) if codes else None, limits=limits), role, text)


def corpus() -> Iterator[str]:
    """Prompts that were made to break hosts, and real ones where they are at hand."""
    for name in recordings():
        for line in synthetic(name):
            yield line["text"]
    yield from (line["text"] for line in real("a1111"))


TOLD_BY_NAME = ("a1111", "forge", "comfyui", "diffusers", "kohya")


@pytest.mark.parametrize("host", TOLD_BY_NAME)
def test_nothing_is_found_in_what_passes_of_all_prompts_at_hand(host: str) -> None:
    texts = {part.strip() for text in corpus() for part in (text, *text.split("\n"))}
    passed = sum(check(Job(host, "sdxl"), "positive", text) for text in texts)
    assert passed > len(texts) / 10, "the screen is of use"


def test_hosts_that_say_nothing_of_plain_text_have_no_screen() -> None:
    silent = [name for name in HOSTS if HOSTS[name].plain is None]
    assert set(silent).isdisjoint(TOLD_BY_NAME)
    assert silent
    assert all(Job(name, HOSTS_MODEL).screen() is None for name in silent)


HOSTS_MODEL = "sd15"


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (Job("a1111", "sdxl", chosen={"embeddings": {"cat": 2}}), "a name of an embedding may be any word"),
        (Job("kohya", "sdxl", chosen={"weighted_captions": True}), "weights are read"),
        (Job("comfyui", "sdxl", chosen={"grouping": "word"}), "words are groups"),
        (Job("comfyui", "flux"), "T5 reads too"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_there_is_no_screen_where_words_do_not_tell(job: Job, why: str) -> None:
    assert job.screen() is None


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("a cat on a mat, watercolour", True),
        ("a photo of a cat and a photo of a dog", True),
        (" ".join(f"w{n}" for n in range(60)), False),
        ("a (cat)", False),
        ("a cat, a dog, a cat", False),
        ("very very very good", False),
        ("best quality, masterpiece, highly detailed, sharp focus, 8k, photorealistic, award winning, trending on artstation", False),
        ("best quality, masterpiece, a cat, sharp focus", True),
        (f"best quality,masterpiece, {'sharp focus, ' * 9}a cat", False),
        ("black & white", True),
        ("black &amp; white", False),
        ("R&D", False),
        ("a café", False),
        ("", False),
        (" ", False),
        (" a cat", False),
    ],
)
def test_what_passes(text: str, passes: bool) -> None:
    screen = Job("a1111", "sdxl").screen()
    assert screen is not None
    assert screen.passes(text) is passes


def test_every_rule_says_what_it_needs() -> None:
    assert [code for code, row in RULES.items() if row.on_prompt and row.needs is None] == []
