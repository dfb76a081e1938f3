"""Arbitrary prompts for the rules and fixes: bits that mean something to some rule or host, between arbitrary text."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from promptlens import HOSTS
from promptlens.rules import RuleSettings

LIGHT = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Every setting that switches a rule on which is silent without it.
EAGER = RuleSettings(
    max_tokens=5,
    max_chunks=1,
    template=True,
    costly_tokens=1,
    subject_by=1,
    tail_tokens=30,
    break_waste=74,
    embeddings=frozenset({"pair"}),
    loras=frozenset({"x"}),
    wildcards={"wild": ("cat", "{a|__wild__}")},
)

CASES: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in HOSTS]
CASES += [
    ("a1111", {"emphasis": "None"}),
    ("a1111", {"negative": True, "comma_padding_backtrack": 0}),
    ("comfyui", {"embeddings": {"easynegative": 8, "pair": 2}}),
    ("comfyui", {"grouping": "word"}),
    ("kohya", {"weighted_captions": True, "max_token_length": 75}),
    ("compel", {"truncate_long_prompts": True}),
]

BITS = st.sampled_from(
    [
        *(
            "(",
            ")",
            "[",
            "]",
            ":1.2)",
            ":1.2",
            ":0)",
            ")1.3",
            "1,2)",
            ":",
            "\\",
            " BREAK ",
            " AND ",
            "<lora:x:1>",
            "# c\n",
            "\n",
            ",",
            ", ",
        ),
        *("word " * 40, "a, " * 30, "x " * 74, "very very very ", "solo, ", "red hair", "blue_eyes", "_(fate)", " (fate)", "masterpiece, "),
        *("embedding:pair", "easynegative", "[a:b:0.5]", "[a|b]", "[[a, b]]", "{a|b}", "{prompt}", "__wild__", "++", '("a", "b").and()'),
        *("<|endoftext|>", "<end_of_text>", "!", "&amp;", "\u200b", "\u0301", "日本", "👨\u200d👩\u200d👧", "ﬁ", "Ã©", "\x00", "\ufeff"),
        *("c\u0430t", "\uff21\uff22", "12345678", "photorealism", "<break>", "--", "\u2019s"),
    ]
)
PROMPTS = st.one_of(st.text(max_size=60), st.lists(st.one_of(BITS, BITS, st.text(max_size=6)), max_size=12).map("".join))
