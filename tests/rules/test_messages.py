"""What rules say, where it depends on the host and the prompt: nothing that is not so, and no way out that is none."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from rule_cases import Case, found, words

from promptlens.rules import RuleSettings

SIX = RuleSettings(max_tokens=6)
ONE_CHUNK = RuleSettings(max_chunks=1)


class Said(NamedTuple):
    """A case of a rule, and what its message and its hint are to say."""

    code: str
    case: Case
    message: str
    hint: str


SAID = {
    "room is left": Said("TB102", Case(words(74), "diffusers"), "74 of the 75", "There is room for 1 more token; what comes after"),
    "no room is left": Said("TB102", Case(words(75), "diffusers"), "75 of the 75", "There is room for none; what comes after"),
    "over by tokens": Said("TB103", Case(words(7), settings=SIX), "7 tokens, 1 over", "Shorten it by 1 token."),
    "over by chunks": Said("TB103", Case(words(80), settings=ONE_CHUNK), "2 chunks, 1 over", "Shorten it by 5 tokens."),
    "over by BREAK": Said("TB103", Case("a BREAK b", settings=ONE_CHUNK), "2 chunks", "Shorten it by 1 token, or take out a BREAK."),
    "a style of half a chunk": Said("TB105", Case(words(50) + " {prompt}"), "takes 50 of the 75 tokens of the first chunk before", "to 37"),
    "a style of two": Said("TB105", Case(words(90) + " {prompt}"), "takes 90 tokens, all 75 of the first chunk, before", "to 37"),
    "a chunk that is saved": Said("TB203", Case(words(77)), "only 2 tokens", "by 2 tokens saves the chunk."),
    "a chunk that is sent anyway": Said(
        "TB203", Case(words(77), "kohya"), "only 2 tokens", "by 2 tokens joins all of it in the chunks before."
    ),
    "an open bracket weighs": Said("TB302", Case("a (red hat"), "it weighs all that follows: 'red hat'", "Close it with ) where"),
    "an open bracket weighs nothing": Said("TB302", Case("a red hat ("), "nothing follows that it would weigh", r"or write \( if"),
    "an open bracket is a word": Said("TB302", Case("a (red hat", "comfyui"), "read as a word, and so are", r"or write \( if"),
    "a bracket too many": Said("TB302", Case("a red) (hat:1.2)"), "it is read as a word", "Delete it"),
    "a bracket too many spoils weights": Said(
        "TB302", Case("red) (hat:1.2)", "comfyui"), "a word, and so are the weights after it", "Delete"
    ),
    "a weight with blanks": Said(
        "TB303", Case("(red: 1.2)", "kohya", options={"weighted_captions": True}), "the weight '1.2' has blanks around it", "no blanks"
    ),
    "a weight with a comma": Said("TB303", Case("(red:1,2)"), "the weight '1,2' is not a number", "one point"),
    "an end mark": Said("TB304", Case("a<|endoftext|>"), "a mark of the tokenizer", "what comes after an end mark hardly counts"),
    "a start mark": Said("TB304", Case("a <|startoftext|>"), "a mark of the tokenizer", "the host puts one where it belongs"),
    "said twice where weights mean something": Said("TB401", Case("solo, cat, solo"), "said again", "to make it stronger, weigh it."),
    "said twice where they do not": Said("TB401", Case("solo, cat, solo", "diffusers"), "said again", "Take one of them out."),
    "a long number": Said("TB402", Case("order 20240131"), "each digit is a token", "Leave it out or shorten it."),
    "another script": Said("TB402", Case("一只猫在"), "the vocabulary spells it out", "Say it in English words"),
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_says(said: Said) -> None:
    (finding,) = found(said.code, said.case)
    assert said.message in finding.message
    assert said.hint in finding.hint


def test_a_hint_without_weights_is_no_longer() -> None:
    (finding,) = found("TB401", Case("solo, cat, solo", "kohya"))
    assert finding.hint == "Take one of them out."
