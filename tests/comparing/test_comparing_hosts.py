"""One prompt in several hosts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from promptlens import HOSTS, analyze
from promptlens.comparing import LOST, Boundary, across_hosts, boundaries, same_cuts
from promptlens.errors import OptionError
from promptlens.report import Report

PROMPT = "masterpiece, " * 30 + "(silver hair:1.2), a very long coat, " * 6


def report(text: str, host: str) -> Report:
    return analyze(text, host)


def test_boundaries_are_where_the_tokens_of_the_next_chunk_begin() -> None:
    usage = analyze("one " * 74 + "two, three", "comfyui").usage
    assert boundaries(usage, usage.encoders[0]) == (Boundary(4 * 74 + 3, 1, "full"),)
    usage = analyze("one " * 75 + "(two:1.2)", "comfyui").usage
    assert boundaries(usage, usage.encoders[0]) == (Boundary(4 * 75, 1, "group"),)


def test_what_is_lost_begins_somewhere_too() -> None:
    usage = analyze("one " * 80, "diffusers").usage
    assert boundaries(usage, usage.encoders[0]) == (Boundary(4 * 75, LOST, "full"),)


def test_hosts_that_cut_alike_are_together() -> None:
    groups = [[view.host for view in group] for group in same_cuts(across_hosts(PROMPT, ["a1111", "forge", "diffusers"], report))]
    assert groups == [["a1111", "forge"], ["diffusers"]]


def test_a_host_that_refuses_or_fails_stays_in_the_list() -> None:
    def analysis(text: str, host: str) -> Report:
        if host == "kohya":
            raise OptionError("no such thing")
        return analyze(text, host)

    views = across_hosts("(x:1.2.3)", ["a1111", "kohya", "comfyui"], analysis)
    assert [(v.host, v.refusal, v.report is None) for v in views] == [
        ("a1111", "", False),
        ("kohya", "no such thing", True),
        ("comfyui", "", False),
    ]
    assert [v.to_dict().get("host_error") for v in views] == ["ValueError", None, None]
    assert [[v.host for v in group] for group in same_cuts(views)] == [["comfyui"]]


@given(st.text(max_size=40) | st.lists(st.sampled_from(["one ", "(red:1.2), ", "BREAK ", "日本", "a, "]), max_size=60).map("".join))
def test_boundaries_are_in_order_and_inside_the_prompt(text: str) -> None:
    for view in across_hosts(text, HOSTS, report):
        assert view.report
        usage: Any = view.report.usage
        for use in usage.encoders:
            found = boundaries(usage, use)
            assert all(0 <= b.at <= len(text) for b in found)
            assert len([b for b in found if b.chunk != LOST]) <= max(len(use.chunks) - 1, 0)
