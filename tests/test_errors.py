"""Errors say what, where and the way out, and all have one parent."""

from __future__ import annotations

import re

import pytest

from promptlens import PromptLensError, errors
from promptlens.errors import UnknownNameError, nearest

HOSTS = ["a1111", "comfyui", "diffusers", "invokeai", "sd_embed"]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"^    [├└]── (\w+)", errors.__doc__ or "", re.MULTILINE)
    assert len(drawn) > 3
    assert sorted(drawn) == sorted(c.__name__ for c in PromptLensError.__subclasses__() if c.__module__ == errors.__name__)


@pytest.mark.parametrize(
    ("name", "want"),
    [
        pytest.param("comfi", "comfyui", id="a misspelt name"),
        pytest.param("ComfyUI", "comfyui", id="another case"),
        pytest.param("inv", "invokeai", id="the beginning of one name"),
        pytest.param("difusers", "diffusers", id="a letter left out"),
        pytest.param("sdembed", "sd_embed", id="an underscore left out"),
        pytest.param("photoshop", None, id="nothing like it"),
        pytest.param("", None, id="nothing at all"),
    ],
)
def test_the_nearest_name(name: str, want: str | None) -> None:
    assert nearest(name, HOSTS) == want


def test_the_beginning_of_two_names_offers_neither() -> None:
    assert nearest("prompt", ["prompt-to-prompt-editing", "prompt-s-attention-parser"]) is None


def test_an_unknown_name_lists_the_known_ones_and_offers_the_nearest() -> None:
    error = UnknownNameError("host", "comfi", HOSTS)
    assert str(error) == "Unknown host 'comfi'. Known: a1111, comfyui, diffusers, invokeai, sd_embed. Did you mean 'comfyui'?"
    assert (error.kind, error.name, error.known, error.suggestion) == ("host", "comfi", tuple(HOSTS), "comfyui")


def test_an_unknown_name_says_where_it_stands() -> None:
    error = UnknownNameError("option", "zzz", ["steps"], where="promptlens.toml")
    assert str(error) == "promptlens.toml: Unknown option 'zzz'. Known: steps."


def test_an_unknown_name_in_an_empty_table_is_still_one_sentence() -> None:
    assert str(UnknownNameError("rule", "TB1", [])) == "Unknown rule 'TB1'. Known: none."


def test_a_name_that_is_no_text_is_shown_as_it_is() -> None:
    assert str(UnknownNameError("host", None, ["a1111"])) == "Unknown host None. Known: a1111."  # type: ignore[arg-type]
