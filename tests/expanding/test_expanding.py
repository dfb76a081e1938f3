"""The largest prompt that a template stands for."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptlens.errors import InputError
from promptlens.expanding import EXACT_UP_TO, expand


def words(text: str) -> int:
    """What the tests take for tokens."""
    return len(text.split())


@pytest.fixture
def wildcards(tmp_path: Path) -> Path:
    """Wildcard files: plain, in a folder, in YAML, one that names others, and one that names itself."""
    (tmp_path / "places").mkdir()
    (tmp_path / "places" / "far.txt").write_text("# none\nthe moon\na far away island in the sea\n\n")
    (tmp_path / "color.txt").write_text("red\ndark {sea|sky} blue\n")
    (tmp_path / "scene.txt").write_text("__color__ sky\n__places/far__\n")
    (tmp_path / "loop.txt").write_text("a __loop__\n")
    (tmp_path / "more.yaml").write_text("animal:\n  - cat\n  - very small dog\n")
    return tmp_path


@pytest.mark.parametrize(
    ("template", "largest", "smallest", "variants"),
    [
        ("a cat", "a cat", "a cat", 1),
        ("a {red|dark blue} cat", "a dark blue cat", "a red cat", 2),
        ("{a|b c}, {d e f|g}", "b c, d e f", "a, g", 4),
        ("{a|{b c|d e f}}", "d e f", "a", 3),
        ("{2$$ and $$x|y z|v}", "x and y z", "x and v", 6),
        ("{1-2$$ $$x|y z}", "x y z", "x", 4),
        ("{0.5::red|3::dark blue}", "dark blue", "red", 2),
        ("{3$$ $$a|b c}", "a b c", "a b c", 2),
        ("${v={a|b c}}${v}, ${v}", "b c, b c", "a, a", 4),
        ("${name:some default}", "some default", "some default", 1),
        ("%{big ... thing$${cat|small dog}}", "big small dog thing", "big cat thing", 2),
        ("{a|}", "a", "", 2),
        ("(x:1.2), [y|z]", "(x:1.2), [y|z]", "(x:1.2), [y|z]", 1),
        ("日本 {👩‍🚀|a b}", "日本 a b", "日本 👩‍🚀", 2),
    ],
)
def test_syntax(template: str, largest: str, smallest: str, variants: int) -> None:
    found = expand(template, words)
    assert (found.largest, found.smallest, found.variants, found.exact, found.problem) == (largest, smallest, variants, True, "")


@pytest.mark.parametrize(
    ("template", "largest", "variants"),
    [
        ("__color__", "dark sea blue", 3),
        ("__places/far__", "a far away island in the sea", 2),
        ("__places/*__", "a far away island in the sea", 2),
        ("__scene__", "a far away island in the sea", 5),
        ("__animal__ in __color__", "very small dog in dark sea blue", 6),
    ],
)
def test_wildcards(template: str, largest: str, variants: int, wildcards: Path) -> None:
    found = expand(template, words, wildcards)
    assert (found.largest, found.variants, found.unknown) == (largest, variants, ())


def test_a_wildcard_without_values_stays(wildcards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = expand("a __colour__, __colour__, __color__", words, wildcards)
    assert found.unknown == ("colour",)
    assert found.largest == "a __colour__, __colour__, dark sea blue"
    assert capsys.readouterr() == ("", "")  # the library would say so itself


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{a|b}", "line 1, column 1"),
        ("a\nb ${x", "line 2, column 3"),
        ("{" * 60 + "a" + "}" * 60, "nested more than 40 deep"),
        ("__loop__", "does a wildcard name itself"),
    ],
)
def test_what_the_library_cannot_read_is_taken_as_it_stands(template: str, why: str, wildcards: Path) -> None:
    found = expand(template, words, wildcards)
    assert why in found.problem
    assert (found.largest, found.smallest, found.variants) == (template, template, 1)


def test_picks_say_what_caused_it(wildcards: Path) -> None:
    found = expand("a {red|dark blue} __places/far__ {only}", words, wildcards)
    assert [tuple(pick) for pick in found.picks] == [
        ("{red|…}", "dark blue", 2),
        ("__places/far__", "a far away island in the sea", 7),
    ]


def test_very_many_variants_are_not_read_one_by_one() -> None:
    found = expand(", ".join(["{red|dark blue|x}"] * 60), words)
    assert (found.variants, found.exact) == (3**60, False)
    assert (words(found.largest), words(found.smallest)) == (120, 60)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        expand("a", words, tmp_path / "none")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "promptlens.expanding._tree", None)
    with pytest.raises(InputError, match=r"pip install 'promptlens\[templates\]'"):
        expand("a", words)


OPTIONS = st.lists(st.sampled_from(["a", "b c", "d e f", ""]), min_size=1, max_size=4)


@given(st.lists(OPTIONS, min_size=1, max_size=4))
def test_the_largest_of_all_that_a_slow_reference_lists(groups: list[list[str]]) -> None:
    found = expand(", ".join("{" + "|".join(group) + "}" for group in groups), words)
    every = [", ".join(picked) for picked in product(*groups)]
    assert found.variants == len(every) <= EXACT_UP_TO
    assert words(found.largest) == max(map(words, every))
    assert words(found.smallest) == min(map(words, every))
