"""Wrong use of `analyze` gets one message that says what, where and the way out; and the ways an option may be given."""

from __future__ import annotations

from typing import Any

import pytest

from promptlens import PromptLensError, analyze
from promptlens.errors import OptionError, UnknownNameError


@pytest.mark.parametrize(
    ("named", "message"),
    [
        pytest.param({"host": "comfi"}, "Unknown host 'comfi'. Known: a1111, comfyui, ... Did you mean 'comfyui'?", id="a host"),
        pytest.param({"host": "A1111"}, "Unknown host 'A1111'. Known: a1111, ... Did you mean 'a1111'?", id="a host in another case"),
        pytest.param({"model": "sdlx"}, "Unknown model 'sdlx'. Known: sd15, ... Did you mean 'sdxl'?", id="a model"),
        pytest.param(
            {"steps_": 3}, "a1111: Unknown option 'steps_'. Known: comma_padding_backtrack, ... Did you mean 'steps'?", id="an option"
        ),
        pytest.param(
            {"host": "comfyui", "steps": 3}, "comfyui: Unknown option 'steps'. Known: embeddings, ...", id="another host's option"
        ),
        pytest.param({"host": None}, "Unknown host None. Known: a1111, ...", id="no host"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(named: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        analyze("a cat", **named)
    said = str(caught.value)
    for part in message.split(" ..."):
        assert part in said


class Array:
    """Stands for a numpy array or a torch tensor."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"steps": 0}, "steps must be a whole number from 1 to 1000, not 0.", id="too few steps"),
        pytest.param({"steps": "20"}, "steps must be a whole number from 1 to 1000, not '20'.", id="steps in words"),
        pytest.param({"steps": True}, "steps must be a whole number from 1 to 1000, not True.", id="steps that are a truth"),
        pytest.param({"comma_padding_backtrack": 75}, "comma_padding_backtrack must be a whole number from 0 to 74, not 75.", id="a range"),
        pytest.param({"emphasis": "original"}, "not 'original'. Did you mean 'Original'?", id="a choice in another case"),
        pytest.param({"emphasis": ["None"]}, "emphasis must be one of 'Original', 'No norm', 'Ignore', 'None', not ['None'].", id="a list"),
        pytest.param({"negative": "no"}, "negative must be true or false, not 'no'.", id="a truth in words"),
        pytest.param({"embeddings": ["x"]}, "embeddings must be {name: vectors} or a folder, not ['x'].", id="names without vectors"),
        pytest.param({"embeddings": {"x": 0}}, "The embedding 'x' must have at least one vector, not 0.", id="no vectors"),
        pytest.param(
            {"embeddings": {"x": Array(0, 768)}}, "The embedding 'x' must have at least one vector, not 0.", id="an array of none"
        ),
        pytest.param({"embeddings": {"x": "8"}}, "The embedding 'x' must be a number of vectors or an array", id="vectors in words"),
        pytest.param(
            {"embeddings": {"x": Array(2, 2, 2)}}, "The embedding 'x' must be a number of vectors", id="an array of three dimensions"
        ),
        pytest.param({"embeddings": {" ": 2}}, "An embedding must have a name, not ' '.", id="a name of blanks"),
    ],
)
def test_an_option_that_makes_no_sense_is_explained(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        analyze("a cat", host="a1111", **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("prompt", [None, b"a cat", 3, ["a cat"]], ids=["nothing", "bytes", "a number", "a list"])
def test_a_prompt_is_text(prompt: Any) -> None:
    with pytest.raises(OptionError, match=f"A prompt is a str, not {type(prompt).__name__}"):
        analyze(prompt)


@pytest.mark.parametrize(
    ("given", "vectors"),
    [
        pytest.param(3, 3, id="a number"),
        pytest.param(Array(8, 768), 8, id="an array of vectors"),
        pytest.param(Array(768), 1, id="an array that is one"),
        pytest.param({"clip_l": Array(2, 768), "clip_g": Array(2, 1280)}, 2, id="an array for each encoder"),
    ],
)
def test_embeddings_may_be_given_as_arrays(given: Any, vectors: int) -> None:
    usage = analyze("a toy", host="a1111", embeddings={"toy": given}).usage
    assert usage.options.embeddings == {"toy": vectors}
    assert usage.encoders[0].used == 1 + vectors


def test_options_are_not_changed_under_a_report() -> None:
    mine = {"toy": 2}
    report = analyze("a toy", host="a1111", embeddings=mine)
    mine["toy"] = 70
    assert report.usage.options.embeddings == {"toy": 2}
    assert analyze("a toy", host="a1111").usage.options.embeddings == {}


def test_wrong_use_has_one_parent() -> None:
    for wrong in ({"host": "x"}, {"steps": 0}):
        with pytest.raises(PromptLensError):
            analyze("a cat", **wrong)
