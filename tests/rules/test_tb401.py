"""The same thing said twice."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, found, pieces

FIRES = {
    "a tag again": Says(Case("1girl, solo, smile, solo"), ["solo"], "1girl, solo, smile"),
    "twice again": Says(Case("solo, smile, solo, hat, solo"), ["solo", "solo"], "solo, smile, hat"),
    "in other letters": Says(Case("Blue Eyes, smile, blue eyes"), ["blue eyes"], "Blue Eyes, smile"),
    "with an underscore": Says(Case("blue eyes, smile, blue_eyes"), ["blue_eyes"], "blue eyes, smile"),
    "with a weight": Says(Case("smile, hat, (smile:1.2)"), ["(smile:1.2)"], "smile, hat"),
    "as the first of a group, which cannot be taken out": Says(Case("smile, hat, (smile, sky:1.2)"), ["(smile"]),
    "with blanks between": Says(Case("blue  eyes, smile, blue eyes"), ["blue eyes"], "blue  eyes, smile"),
    "after an empty tag": Says(Case("a cat,, a cat"), ["a cat"], "a cat"),
    "after an empty tag with blanks": Says(Case("a cat , , a cat, dog"), ["a cat"], "a cat, dog"),
    "with a network between": Says(Case("(cat) <lora:x:1>, cat"), ["cat"], "(cat) <lora:x:1>"),
    "a network and a tag each": Says(Case("cat<lora:x:1>, dog, cat"), ["cat"], "cat<lora:x:1>, dog"),
    "on another line": Says(Case("smile,\nhat,\nsmile"), ["smile"], "smile,\nhat,\n"),
    "in a caption": Says(Case("white, black, white, black", "kohya"), ["white", "black"], "white, black"),
    "a word three times": Says(Case("a very very very big cat"), ["very very very"], "a very big cat"),
    "a word three times, the last time before a comma": Says(Case("a very very very, big cat"), ["very very very"], "a very, big cat"),
    "a word three times before a wide comma": Says(Case("a very very very，big cat"), ["very very very"], "a very，big cat"),
    "words in a row": Says(Case("a red car a red car on a road"), ["a red car a red car"], "a red car on a road"),
    "words in a row, endlessly": Says(Case("big cat " * 40), [("big cat " * 40).strip()], "big cat "),
}

SILENT = {
    "different tags": Case("1girl, solo, smile"),
    "a word twice": Case("a very very big cat"),
    "a word again elsewhere": Case("a red cat on a red mat, a red hat"),
    "a tag after BREAK": Case("1girl, smile BREAK 1girl, hat"),
    "a tag after AND": Case("1girl, smile AND 1girl, hat"),
    "a tag that comes in later": Case("[smile:hat:0.5], a cat, smile|d"),
    "both sides of a choice": Case("{red hat|blue hat}, cat, {red hat|sky}"),
    "a tag on another line of Fooocus, which is encoded apart": Case("smile, hat\nsmile, sky", "fooocus"),
    "a tag in a comment": Case("smile # smile\n, hat"),
    "signs": Case("cat, -, dog, -, ..., ..."),
    "digits in a row": Case("2 0 0 0 years"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB401", says.case) == says.pieces
    assert after("TB401", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB401", case) == []


def test_taking_out_a_tag_of_another_weight_is_not_safe() -> None:
    (safe,) = found("TB401", Case("smile, hat, smile"))
    (unsafe,) = found("TB401", Case("smile, hat, (smile:1.3)"))
    assert safe.edit is not None
    assert unsafe.edit is not None
    assert (safe.edit.safe, unsafe.edit.safe) == (True, False)


def test_taking_out_a_tag_with_a_network_in_it_is_not_safe() -> None:
    (said,) = found("TB401", Case("a <lora:x:1> b, sky, a <lora:y:1> b"))
    assert said.edit is not None
    assert not said.edit.safe


def test_a_long_run_takes_no_longer_than_it_must() -> None:
    assert len(found("TB401", Case("a " * 50_000))) == 1
    assert found("TB401", Case(", " * 50_000)) == ()
