"""The readers that keep places read what the standard ones read, and each place holds what they say."""

from __future__ import annotations

import csv
import io
import json
import shlex
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from promptlens.sources import UnreadableFile, _json, _toml, _yaml
from promptlens.sources._csv import rows
from promptlens.sources._document import Document
from promptlens.sources._keys import find, parse
from promptlens.sources._prompt import Text
from promptlens.sources._shell import words

UNHURRIED = settings(deadline=None)
LETTERS = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | LETTERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LETTERS, inner, max_size=4),
    max_leaves=12,
)


def texts(value: Any) -> Iterator[Text]:
    """All strings of a value, keys left out."""
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(child, Text):
            yield child
        else:
            yield from texts(child)


def strings(value: Any) -> list[str]:
    """All strings of a value, keys left out, as they are."""
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [s for child in children for s in strings(child)]


def placed(document: Document, value: Any) -> None:
    """Each string's raw form, read by itself, says the string."""
    for text in texts(value):
        assert text.place(document).text == text


@UNHURRIED
@given(VALUES, st.booleans(), st.sampled_from([None, 0, 2]))
def test_json_is_read_like_the_standard_module_reads_it(value: Any, ascii_only: bool, indent: int | None) -> None:
    document = Document("x", json.dumps(value, ensure_ascii=ascii_only, indent=indent))
    found, notices = _json.loads(document)
    assert found == value
    assert not notices
    placed(document, found)


@UNHURRIED
@given(st.text(alphabet='{}[]",:\\ \n019-.eEtrufalsn\u00e9', max_size=20))
def test_json_is_accepted_where_the_standard_module_accepts_it(text: str) -> None:
    try:
        wanted = json.loads(text)
    except json.JSONDecodeError:
        with pytest.raises(UnreadableFile):
            _json.loads(Document("x", text))
    else:
        assert _json.loads(Document("x", text))[0] == wanted


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"a": 1,\n "b" 2}', 2, 6),
        ('{"a":\n  [1, 2,\n   }', 3, 4),
        ('["a\nb"]', 1, 2),
        ('{"a": "b\\q"}', 1, 9),
        ('{"a": 01}', 1, 7),
        ("{'a': 1}", 1, 2),
        ('{"a": 1} x', 1, 10),
        ("", 1, 1),
        ('{"a": [1', 1, 9),
        ("[" * 300, 1, 201),
    ],
)
def test_wrong_json_is_refused_where_it_goes_wrong(text: str, line: int, column: int) -> None:
    with pytest.raises(UnreadableFile) as caught:
        _json.loads(Document("x", text))
    assert (caught.value.line, caught.value.column) == (line, column)


def test_the_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_json, "MAX_VALUES", 10)
    assert _json.loads(Document("x", "[" + "1," * 8 + "1]"))[0] == [1] * 9
    with pytest.raises(UnreadableFile, match="more than 10 values"):
        _json.loads(Document("x", "[" + "1," * 9 + "1]"))


def test_long_numbers_do_no_harm() -> None:
    assert _json.loads(Document("x", "[1e999, " + "1" * 5000 + "]"))[0] == [float("inf"), float("inf")]


@UNHURRIED
@given(st.text(alphabet='ab ,"\n\r\u00e9', max_size=16), st.booleans())
def test_csv_is_read_like_the_standard_module_reads_it(text: str, skip: bool) -> None:
    document = Document("x", text)
    try:
        found = list(rows(document, skip_spaces=skip))
    except UnreadableFile:
        with pytest.raises(csv.Error):
            list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=skip, strict=True))
        return
    assert found == list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=skip))
    placed(document, found)


def test_a_csv_quote_that_is_never_closed_is_named() -> None:
    with pytest.raises(UnreadableFile, match="x:2:3: a quote opened here is never closed"):
        list(rows(Document("x", 'a,b\nc,"d\ne,f\n')))


def test_a_csv_field_is_no_longer_than_python_reads() -> None:
    text = "a" * 131_073
    with pytest.raises(csv.Error):
        list(csv.reader([text]))
    with pytest.raises(UnreadableFile, match="131,072"):
        list(rows(Document("x", text)))


YAML_VALUES = st.recursive(LETTERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LETTERS, inner, max_size=3), max_leaves=8)


@UNHURRIED
@given(YAML_VALUES, st.sampled_from([None, '"', "'", "|", ">"]), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_yaml_is_read_like_pyyaml_reads_it(value: Any, style: str | None, flow: bool, newline: str) -> None:
    written = yaml.safe_dump(value, default_style=style, default_flow_style=flow, allow_unicode=True, width=20)
    document = Document("x", written.replace("\n", newline))
    try:
        wanted = yaml.safe_load(document.text)
    except yaml.YAMLError:
        return
    found, _ = _yaml.load(document)
    assert strings(found) == strings(wanted)
    placed(document, found)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [b, c]\nd: *x\n",
        "base: &b {k: v, l: w}\nc:\n  <<: *b\n  l: own\n",
        "a: !!str 5\nb: &n 'x'\nc: yes\nd: ~\ne: 1.5\n",
        "a: |+\n  x\n\n\nb: >2\n    y\n",
        "- &a x\n- *a\n",
        "--- # one\na: b\n...\n",
    ],
)
def test_yaml_anchors_merges_and_tags_are_read_like_pyyaml_reads_them(text: str) -> None:
    document = Document("x", text)
    found, _ = _yaml.load(document)
    assert sorted(strings(found)) == sorted(strings(yaml.safe_load(text)))
    placed(document, found)


@pytest.mark.parametrize(
    ("text", "words_"),
    [
        ("a: [b\nc: d", "x:2"),
        ("a: *b", "stands for nothing"),
        ("&a [*a]", "what it is part of"),
        ("a: b\n---\nc: d", "more than one document"),
        ("[" * 200, "deeper than 100"),
        ("? [a]\n: b", "used as a key"),
        ("a: \x07", "x:1:4"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(8)),
            "more than",
        ),
    ],
    ids=["open list", "no anchor", "itself", "two documents", "deep", "list as key", "control character", "billion laughs"],
)
def test_wrong_yaml_is_refused_with_its_place(text: str, words_: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        _yaml.load(Document("x", text))
    assert words_ in str(caught.value)


TOML = """# "no" 'strings'
a = "x\\u00e9 \\n é" # "c"
"q.k".b = 'lit'
[t.u]
m = \"\"\"
line "1"
  two \\
   three\"\"\"
n = '''a
b'''
num = 1.5
day = 1979-05-27 07:32:00
l = ["a", ['b', 1], { k = "c", z.y = "" }, # "c"
 "e" ]
[[r]]
x = "1"
[[r]]
x = \"\"\"\"\"\"
[r.s]
y=''''q''''
"""


@pytest.mark.parametrize("text", [TOML, TOML.replace("\n", "\r\n")], ids=["lf", "crlf"])
def test_toml_is_read_like_the_standard_module_reads_it(text: str) -> None:
    document = Document("x", text)
    found = _toml.load(document)
    assert list(map(str, texts(found))) == strings(tomllib.loads(text))
    assert found["r"][1]["s"]["y"] == "'q'"
    placed(document, found)


@pytest.mark.parametrize(
    ("text", "where"), [('a = "b\nc = 1', "x:1:7"), ("a = 1\nb = [", "x:2:6"), ("a = " + "[" * 5000, "x:"), ("a = 1\ra = 2", "x:1:6")]
)
def test_wrong_toml_is_refused_where_it_goes_wrong(text: str, where: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        _toml.load(Document("x", text))
    assert str(caught.value).startswith(where)


@UNHURRIED
@given(st.text(alphabet="ab \t'\"\\-\u00e9", max_size=14))
def test_words_are_split_like_a_command_line(line: str) -> None:
    try:
        wanted = shlex.split(line)
    except ValueError:
        with pytest.raises(ValueError, match="No "):
            list(words(line))
    else:
        assert [w.text for w in words(line)] == wanted


VALUE = {"a": [{"b": Text("1", 0, 0, "")}, {"b": Text("2", 1, 0, ""), "c.d": Text("3", 2, 0, "")}], "b": Text("4", 3, 0, "")}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("b", ["b"]),
        ("a[1].b", ["a[1].b"]),
        ("a[].b", ["a[0].b", "a[1].b"]),
        ("a.*.b", ["a[0].b", "a[1].b"]),
        ("**.b", ["b", "a[0].b", "a[1].b"]),
        ('a[1]."c.d"', ['a[1]."c.d"']),
        ("a[7].b", []),
        ("a.b", []),
    ],
)
def test_key_paths_lead_to_strings(path: str, names: list[str]) -> None:
    assert [name for name, _ in find(VALUE, parse(path))] == names
