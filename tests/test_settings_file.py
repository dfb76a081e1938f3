"""What is written into a settings file is what was asked for, and every byte outside of it stays."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptlens.config import Settings, load_settings
from promptlens.errors import ConfigError
from promptlens.settings_file import SettingsChangedError, edited, read_settings_file, target_of, write_settings

BOM = b"\xef\xbb\xbf"
TOML, PYPROJECT = Path("promptlens.toml"), Path("pyproject.toml")


@pytest.mark.parametrize(
    ("before", "changes", "after", "path"),
    [
        pytest.param("host = 'a1111'  # mine\n", {"host": "forge"}, 'host = "forge"  # mine\n', TOML, id="a value, and its comment stays"),
        pytest.param("", {"clip_skip": 2}, "clip-skip = 2\n", TOML, id="a key of a new file"),
        pytest.param("unit = 'file'", {"clip_skip": 2}, "unit = 'file'\nclip-skip = 2\n", TOML, id="behind a line without an end"),
        pytest.param("clip_skip = 1\n", {"clip_skip": 2}, "clip_skip = 2\n", TOML, id="a key spelt with _"),
        pytest.param("# all\n\n[limits]\n", {"host": "forge"}, '# all\nhost = "forge"\n\n[limits]\n', TOML, id="the first key of all"),
        pytest.param("# on it\n[limits]\n", {"host": "forge"}, 'host = "forge"\n\n# on it\n[limits]\n', TOML, id="a comment on a table"),
        pytest.param(
            "unit = 'file'\n\n# about it\n[limits]\nmax-tokens = 3\n",
            {"clip_skip": 2, "limits.max_chunks": 1, "options.steps": 9},
            "unit = 'file'\nclip-skip = 2\n\n# about it\n[limits]\nmax-tokens = 3\nmax-chunks = 1\n\n[options]\nsteps = 9\n",
            TOML,
            id="a comment stays with the table it is on",
        ),
        pytest.param("options.steps = 1\n", {"options.ftfy": True}, "options.steps = 1\noptions.ftfy = true\n", TOML, id="dotted keys"),
        pytest.param("options = {steps = 1}\n", {"options.steps": 2}, "options = {steps = 2}\n", TOML, id="an inline table"),
        pytest.param("host = 'a1111'\n# x\nclip-skip = 1\n", {"clip_skip": None}, "host = 'a1111'\n# x\n", TOML, id="a key taken out"),
        pytest.param("host = 'a1111'\n", {"clip_skip": None, "options.steps": None}, "host = 'a1111'\n", TOML, id="none to take out"),
        pytest.param(
            "\ufeffhost = 'a1111'\r\n", {"clip_skip": 2}, "\ufeffhost = 'a1111'\r\nclip-skip = 2\r\n", TOML, id="a mark and \\r\\n"
        ),
        pytest.param(
            "[tool.promptlens]\nhost = 'a1111'\n\n[tool.mypy]\nx = nan\n",
            {"model": "sd15", "options.steps": 9},
            "[tool.promptlens]\nhost = 'a1111'\nmodel = \"sd15\"\n\n[tool.mypy]\nx = nan\n\n[tool.promptlens.options]\nsteps = 9\n",
            PYPROJECT,
            id="the table of a pyproject.toml",
        ),
        pytest.param(
            "[tool]\npromptlens.host = 'a1111'\n",
            {"model": "sd15"},
            "[tool]\npromptlens.host = 'a1111'\npromptlens.model = \"sd15\"\n",
            PYPROJECT,
            id="a table of dotted keys",
        ),
        pytest.param(
            "[tool.promptlens.options]\nsteps = 1\n",
            {"model": "sd15"},
            '[tool.promptlens]\nmodel = "sd15"\n\n[tool.promptlens.options]\nsteps = 1\n',
            PYPROJECT,
            id="a table that has only tables",
        ),
    ],
)
def test_only_what_is_asked_for_is_another(before: str, changes: dict[str, Any], after: str, path: Path) -> None:
    assert edited(before.encode(), changes, path).decode() == after


LINES = st.sampled_from(
    ["", "# a comment [with] = signs", "  # 日本 👍🏽", "unit = 'file'  # why", "baseline = 'x'", "select = [\n  'TB1', # one\n\t'TB2',\n]"]
)
TABLES = st.sampled_from(
    [
        "[limits]\nmax-tokens = 70 # of them",
        "[options]\nsteps = 30",
        "[ options ]\n# nothing",
        "[per-path.'a/**']\nhost = 'kohya'\noptions = { steps = 2 }",
        "[keys]\n\"a[*].b\" = 'positive'",
        "[options]\n\n  steps = 1\n  # emphasis = 'None'",
    ]
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "host": st.sampled_from(["forge", "comfyui"]),
        "clip_skip": st.integers(1, 12),
        "loras": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
        "ignore": st.lists(st.sampled_from(["TB1", "TB404"]), max_size=3),
        "options.emphasis": st.sampled_from(["None", "Original"]),
        "options.steps": st.integers(1, 99),
        "limits.max_chunks": st.integers(1, 9),
    },
)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, Path]:
    """A settings file as people write them: comments, blank lines, any newline, with a byte order mark or without, the end cut off."""
    top = {
        line.partition(" =")[0] if "=" in line and not line.lstrip().startswith("#") else n: line
        for n, line in enumerate(draw(st.lists(LINES)))
    }
    tables = {table.replace(" ", "").partition("\n")[0]: table for table in draw(st.lists(TABLES, max_size=4))}
    pyproject = draw(st.booleans())
    parts = list(top.values())
    if pyproject:
        parts = ["[project]", "name = 'x'", "", "[tool.promptlens]", *parts]
        parts += [table.replace("[", "[tool.promptlens.", 1).replace("promptlens. ", "promptlens.") for table in tables.values()]
        parts += ["", "[tool.other] # theirs", "x = nan"]
    else:
        parts += tables.values()
    text = "\n".join(parts) + draw(st.sampled_from(["", "\n", "\n\n"]))
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    return (BOM if draw(st.booleans()) else b"") + text.encode(), PYPROJECT if pyproject else TOML


def told(content: bytes, path: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(content.decode("utf-8-sig"))
    return table["tool"]["promptlens"] if path == PYPROJECT else table


@given(files(), VALUES)
def test_every_byte_outside_the_changed_keys_stays(file: tuple[bytes, Path], changes: dict[str, Any]) -> None:
    before, path = file
    after = edited(before, changes, path)
    table = told(after, path)
    for name, value in changes.items():
        holder = table[name.partition(".")[0]] if "." in name else table
        assert holder[name.rpartition(".")[2].replace("_chunks", "-chunks").replace("clip_", "clip-")] == value
    assert after.startswith(BOM) == before.startswith(BOM)
    before, after = before.removeprefix(BOM), after.removeprefix(BOM)
    replaced = [line for line in before.splitlines(keepends=True) if line.lstrip().startswith(tuple(_keys(changes)))]
    kept = [line for line in before.splitlines(keepends=True) if line not in replaced]
    rest = iter(after.splitlines(keepends=True))
    for line in kept:  # in this order, with what is new between them
        assert any(line == other or (line.rstrip(b"\r\n") == line and other.rstrip(b"\r\n") == line) for other in rest), line
    assert after.count(b"#") >= before.count(b"#")
    if b"\r\n" in before and b"\n" not in before.replace(b"\r\n", b""):
        assert b"\n" not in after.replace(b"\r\n", b"")


def _keys(changes: dict[str, Any]) -> set[bytes]:
    return {name.rpartition(".")[2].encode() for name in changes} - {b"host"} or {b"\0"}


@given(files(), VALUES)
def test_the_same_again_changes_nothing(file: tuple[bytes, Path], changes: dict[str, Any]) -> None:
    once = edited(*file[:1], changes, file[1])
    assert edited(once, changes, file[1]) == once


def test_what_is_nested_too_deeply_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "promptlens.toml"
    path.write_bytes(b"a = " + b"[" * 20_000 + b"]" * 20_000)
    with pytest.raises(ConfigError, match=r"promptlens.toml: is nested too deeply\. .*nothing was written"):
        write_settings(read_settings_file(path), {"host": "comfyui"})


def test_what_is_no_toml_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "promptlens.toml"
    for content in (b"host = 'a\n", b"\xff\xfe", b"host = 'a'\nhost = 'b'\n"):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"promptlens.toml: is not TOML: .*nothing was written"):
            write_settings(read_settings_file(path), {"host": "forge"})
        assert path.read_bytes() == content


def test_what_no_file_can_hold_is_said(tmp_path: Path) -> None:
    path = tmp_path / "promptlens.toml"
    with pytest.raises(ConfigError, match=r"cannot hold the character \\udcff.*nothing was written"):
        write_settings(read_settings_file(path), {"loras": "/a\udcff"})
    assert not path.exists()


def test_a_file_that_another_program_changed_is_left_until_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "promptlens.toml"
    path.write_bytes(b"host = 'a1111'\n")
    read = read_settings_file(path)
    path.write_bytes(b"host = 'a1111'\nmodel = 'sd15'  # theirs\n")
    with pytest.raises(SettingsChangedError, match="changed by another program"):
        write_settings(read, {"clip_skip": 2})
    assert b"clip" not in path.read_bytes()
    write_settings(read, {"clip_skip": 2}, anyway=True)
    assert path.read_bytes() == b"host = 'a1111'\nmodel = 'sd15'  # theirs\nclip-skip = 2\n"


def test_a_file_that_appears_or_goes_meanwhile_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "promptlens.toml"
    missing = read_settings_file(path)
    path.write_bytes(b"host = 'forge'\n")
    with pytest.raises(SettingsChangedError):
        write_settings(missing, {"clip_skip": 2})
    there = read_settings_file(path)
    path.unlink()
    with pytest.raises(SettingsChangedError, match="is gone"):
        write_settings(there, {"clip_skip": 2})
    assert not path.exists()


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "promptlens.toml"
    path.write_bytes(b"host = 'a1111'\n")
    path.chmod(0o444)
    with pytest.raises(ConfigError, match="is read-only"):
        write_settings(read_settings_file(path), {"clip_skip": 2})
    assert path.read_bytes() == b"host = 'a1111'\n"
    assert os.listdir(tmp_path) == ["promptlens.toml"]


def test_folders_below_the_file_are_written_relative_to_it(tmp_path: Path) -> None:
    path = tmp_path / "promptlens.toml"
    inside, outside = str(tmp_path / "models" / "Lora"), str(tmp_path.parent / "elsewhere")
    write_settings(read_settings_file(path), {"loras": inside, "installs": (outside, inside), "options.embeddings": str(tmp_path / "e")})
    assert tomllib.loads(path.read_text()) == {
        "loras": "models/Lora",
        "installs": [outside, "models/Lora"],
        "options": {"embeddings": "e"},
    }
    found = load_settings(file=path)
    assert (found.loras, found.installs, found.options["embeddings"]) == (inside, (outside, inside), str(tmp_path / "e"))


def test_where_settings_are_written(tmp_path: Path, isolated: Path) -> None:
    prompt = tmp_path / "a" / "b" / "hero.txt"
    prompt.parent.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert target_of(Settings(), prompt) == Path.cwd() / "promptlens.toml"
    (isolated / "promptlens.toml").write_text("")
    assert target_of(Settings(), None) == target_of(Settings(), prompt) == isolated / "promptlens.toml"
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.promptlens]\n")
    assert target_of(Settings(), prompt) == tmp_path / "a" / "pyproject.toml"
    (tmp_path / "a" / "b" / "promptlens.toml").write_text("")
    assert target_of(Settings(), prompt) == tmp_path / "a" / "b" / "promptlens.toml"
    named = load_settings(file=isolated / "promptlens.toml")
    assert target_of(named, prompt) == isolated / "promptlens.toml"
