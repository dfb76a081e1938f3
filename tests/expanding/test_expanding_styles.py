"""Styles put around a prompt, as the web UI does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptlens.errors import UnknownNameError
from promptlens.expanding import Style, choose_styles, load_styles, styled

FILM = Style("film", "photo of {prompt}, grain", "blurry")
SOFT = Style("soft", "soft light")


@pytest.mark.parametrize(
    ("prompt", "negative", "styles", "expected"),
    [
        ("a cat", "", [], ("a cat", "")),
        ("a cat", "", [FILM], ("photo of a cat, grain", "blurry")),
        ("a cat", "bad", [FILM], ("photo of a cat, grain", "bad, blurry")),
        (" a cat ", "", [SOFT], ("a cat, soft light", "")),
        ("", "", [SOFT], ("soft light", "")),
        ("a cat", "", [SOFT, FILM], ("photo of a cat, soft light, grain", "blurry")),
        ("a cat", "", [Style("twice", "{prompt} and {prompt}")], ("a cat and a cat", "")),
        ("", "", [FILM], ("photo of , grain", "blurry")),
    ],
)
def test_styled(prompt: str, negative: str, styles: list[Style], expected: tuple[str, str]) -> None:
    assert styled(prompt, negative, styles) == expected


def test_styles_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "styles.csv"
    file.write_text(
        'name,prompt,negative_prompt\nfilm,"photo of {prompt}, grain",blurry\nonly bad,,ugly\nfilm,"new\nlines {prompt}",\n',
        encoding="utf-8-sig",
    )
    styles = load_styles(file)
    assert styles == {"film": Style("film", "new\nlines {prompt}"), "only bad": Style("only bad", "", "ugly")}
    assert choose_styles(styles, ["only bad", "film"], str(file)) == [styles["only bad"], styles["film"]]
    with pytest.raises(UnknownNameError, match="Did you mean 'film'"):
        choose_styles(styles, ["flim"], str(file))
