"""SwarmUI, as read: its tags, sections, breaks, and texts that change on the way."""

from __future__ import annotations

import pytest
from windows import said, sizes, use, weighed, words

from promptlens import HOSTS, analyze

FILES = {"pair": 2, "sub/Inner.safetensors": 5}

TAGS: dict[str, tuple[str, str]] = {
    "no tags": ("a (red:1.2) cat", "a · red 1.2 · cat"),
    "a comment goes": ("a <comment:big (red:1.2)> cat", "a cat"),
    "a network goes": ("a <lora:x:0.5> cat", "a cat"),
    "an unknown tag is text": ("a <b> <3", "a < b > < 3"),
    "square brackets are text": ("[x]", "[ x ]"),
    "escaped ones too": (r"\[x\]", "[ x ]"),
    "what is drawn is taken at its longest": ("<random:red, dark blue, green> cat", "dark blue cat"),
    "between bars if there are any": ("<random:a, b|c> cat", "a , b cat"),
    "several of them": ("<random[1-2,]:red, dark blue, green> cat", "dark blue , green cat"),
    "tags in tags": ("<random:<random:red, dark blue>, green> cat", "dark blue cat"),
    "repeats": ("<repeat[3]:so> cat", "so so so cat"),
    "a variable": ("<setvar[c]:red> cat <var:c> dog", "red cat red dog"),
    "a silent one": ("<setvar[c,false]:red> cat <var:c> dog", "cat red dog"),
    "a macro": ("<setmacro[c]:<repeat[2]:red>> cat <macro:c>", "red red cat red red"),
    "nothing in itself": ("<setmacro[c]:red <macro:c>>", "red"),
    "a break parts": ("a cat <break> a dog", "a cat | a dog"),
    "an embedding": ("a <embed:pair> b", "a <-1> <-1> b"),
    "in any case, without folder and extension": ("a <embedding:inner>", "a <-1> <-1> <-1> <-1> <-1>"),
    "with a weight": ("(<embed:pair>:1.5)", "<-1> <-1> 1.5"),
    "one that is not there goes": ("a <embed:nothing> b", "a b"),
}


@pytest.mark.parametrize(("prompt", "text"), TAGS.values(), ids=TAGS)
def test_tags(prompt: str, text: str) -> None:
    assert weighed(use(prompt, "swarmui", embeddings=FILES)) == text


def test_what_is_taken_out_is_named() -> None:
    prompt = "a <lora:x:1> <comment:b> <embed:nothing>"
    removed = analyze(prompt, host="swarmui").usage.removed
    assert [(f.kind, f.span.of(prompt)) for f in removed] == [
        ("network", "<lora:x:1>"),
        ("comment", "<comment:b>"),
        ("missing", "<embed:nothing>"),
    ]


def test_groups_are_comfyuis() -> None:
    assert sizes(use(f"{words(70)} ({words(7)}:1.2)", "swarmui")) == "70|7"


def test_a_break_ends_a_chunk() -> None:
    got = use(f"{words(76)} <break> a", "swarmui", "sdxl", 1)
    assert sizes(got) == "75|1|1"
    assert [chunk.cut for chunk in got.chunks] == ["full", "break", "end"]
    assert got.chunks[2].ids[-1] == 0


def test_sections_are_prompts_of_their_own() -> None:
    usage = analyze("a cat <segment:face,0.5> a smile <refiner> sharp <region:end> and a dog", host="swarmui", model="sd15").usage
    assert said(usage.encoders[0]) == "a cat and a dog"
    assert [(line.parsed.label, said(line.encoders[0]), line.parsed.counted) for line in usage.lines] == [
        ("", "a cat and a dog", True),
        ("segment face,0.5", "a smile", False),
        ("refiner", "sharp", False),
    ]


STEPS: dict[str, tuple[str, list[tuple[str, tuple[tuple[int, int], ...]]]]] = {
    "texts take turns": ("<alternate:cat, dog> x", [("cat x", ((1, 1), (3, 3))), ("dog x", ((2, 2), (4, 4)))]),
    "from a step on": ("<fromto[1]:cat, dog> x", [("cat x", ((1, 1),)), ("dog x", ((2, 4),))]),
    "from a share of the steps on": ("<fromto[0.5]:cat|dog> x", [("cat x", ((1, 2),)), ("dog x", ((3, 4),))]),
    "in brackets": ("[cat|dog] x", [("cat x", ((1, 1), (3, 3))), ("dog x", ((2, 2), (4, 4)))]),
    "from the one to the other": ("[cat:dog:2] x", [("cat x", ((1, 2),)), ("dog x", ((3, 4),))]),
    "from nothing": ("[cat:0.5] x", [(" x", ((1, 2),)), ("cat x", ((3, 4),))]),
    "brackets beside them go": ("[a] [cat|dog]", [("a cat", ((1, 1), (3, 3))), ("a dog", ((2, 2), (4, 4)))]),
    "all the same is one text": ("[cat|cat] x", [("cat x", ())]),
    "a word for a step is text": ("[cat:dog:x]", [("[cat:dog:x]", ())]),
}


@pytest.mark.parametrize(("prompt", "lines"), STEPS.values(), ids=STEPS)
def test_texts_change_on_the_way(prompt: str, lines: list[tuple[str, tuple[tuple[int, int], ...]]]) -> None:
    usage = analyze(prompt, host="swarmui", steps=4).usage
    assert [(line.text, line.parsed.steps) for line in usage.lines] == lines


@pytest.mark.parametrize("bits", ["<", "[", "<random:", "[a|", "<repeat[100]:"])
def test_deep_nesting_is_text(bits: str) -> None:
    closing = {"<": ">", "[": "]"}[bits[0]]
    assert analyze(bits * 300 + "a" + closing * 300, host="swarmui").usage.host_error is None


def test_it_says_that_it_was_read() -> None:
    host = HOSTS["swarmui"]
    assert not host.observed
    assert "read, not observed" in host.reference
    assert analyze("a", host="swarmui").to_dict()["host_observed"] is False
    assert all(row.observed for name, row in HOSTS.items() if name not in {"swarmui", "sdnext"})
