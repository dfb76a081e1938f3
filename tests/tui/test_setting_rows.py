"""The rows of the settings screen, without the screen: what is listed, what it may be, where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from promptlens.config import COMMAND_LINE, Settings, load_settings
from promptlens.errors import PromptLensError
from promptlens.hosts import HOSTS
from promptlens.job import Job, make_job
from promptlens.tui.looks import Looks, remember_looks, remembered_looks
from promptlens.tui.session import DEFAULT, SESSION, Session, load_anew
from promptlens.tui.setting_rows import Setting, near_path, option_words, parsed, setting_rows, stepped


def rows(session: Session) -> dict[str, Setting]:
    return {row.key: row for row in setting_rows(session, theme="promptlens-dark", themes=["promptlens-dark", "nord"], compact=False)}


def session(text: str = "", **told: Any) -> Session:
    """Of a settings file with this text; `told`: what the command line says."""
    if text:
        Path("promptlens.toml").write_text(text)
    loaded = load_settings()
    for name, value in told.items():
        loaded = loaded.with_value(name, value, COMMAND_LINE)
    return Session(loaded)


@pytest.mark.parametrize("name", HOSTS.built_in)
def test_every_option_that_a_host_declares_is_a_row_with_its_words_and_a_choice_or_a_text(name: str) -> None:
    found = rows(Session(Settings(host=name)))
    declared = set(HOSTS[name].options.__dataclass_fields__) - {"negative", "negative_prompt"}
    only_one = {"truncate_long_prompts", "split_long_text_mode"} if name == "invokeai" else set()
    assert {key.removeprefix("options.") for key in found if key.startswith("options.")} == declared - only_one
    for row in found.values():
        assert row.about
        assert row.source == (DEFAULT if not row.personal else "remembered for you")
        if row.choices:
            assert row.value in [value for value, _ in row.choices]
        if row.key.startswith("options.") and row.key != "options.embeddings":
            assert option_words(HOSTS[name])[row.label] in row.about


def test_a_host_of_another_package_needs_nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Options:
        """Of another package.

        colour  how it is
                painted
        """

        colour: Literal["red", "blue"] = "red"
        wide: bool = False
        share: float = 0.5

    there = replace(HOSTS["a1111"], name="mine", title="Mine", options=Options)
    monkeypatch.setitem(HOSTS._rows, "mine", there)
    found = rows(Session(Settings(host="mine")))
    assert found["options.colour"].choices == (("red", ""), ("blue", ""))
    assert found["options.colour"].about == "Mine: how it is painted"
    assert [value for value, _ in found["options.wide"].choices] == [True, False]
    assert parsed(found["options.share"], "0.25", "mine") == 0.25


def test_where_each_value_comes_from() -> None:
    told = session("model = 'sd15'\n[options]\nsteps = 30\n", host="forge").changed("clip_skip", 2).changed("limits.max_chunks", 1)
    found = rows(told)
    here = str(Path.cwd() / "promptlens.toml")
    sources = {key: found[key].source for key in ("model", "host", "options.steps", "options.emphasis", "clip_skip", "limits.max_chunks")}
    assert sources == {
        "model": here,
        "host": COMMAND_LINE,
        "options.steps": here,
        "options.emphasis": DEFAULT,
        "clip_skip": SESSION,
        "limits.max_chunks": SESSION,
    }
    assert [key for key, row in found.items() if row.changed] == ["clip_skip", "limits.max_chunks"]
    assert (found["options.steps"].shown, found["clip_skip"].shown, found["limits.max_tokens"].shown) == ("30", "2", "any number")


def test_back_to_what_is_loaded_is_no_change() -> None:
    told = session("[options]\nsteps = 30\n").changed("options.steps", 31).changed("options.emphasis", "None")
    assert dict(told.changes) == {"options.steps": 31, "options.emphasis": "None"}
    assert told.changed("options.steps", 30).changed("options.emphasis", "Original").changes == {}
    assert dict(told.taken_back("options.steps").changes) == {"options.emphasis": "None"}


def test_one_change_gives_the_job_that_all_settings_would() -> None:
    start = session("[options]\nsteps = 30\ncomma_padding_backtrack = 3\n")
    job = make_job(start.loaded)
    for name, value in (
        ("options.steps", 9),
        ("clip_skip", 2),
        ("model", "sd15"),
        ("limits.max_chunks", 2),
        ("options.steps", None),
        ("host", "comfyui"),
    ):
        start = start.changed(name, value)
        job = start.job_after(name, job)
        assert job == start.job()
    assert job.usual == {"comma_padding_backtrack": 3}


def test_what_files_say_by_now_is_taken_over_but_for_what_was_changed() -> None:
    told = session("[options]\nsteps = 30\n", model="sd15").changed("options.steps", 31).changed("clip_skip", 2)
    Path("promptlens.toml").write_text("clip-skip = 2\nmodel = 'sd21'\n[options]\nsteps = 40\nemphasis = 'None'\n")
    anew = told.reloaded(load_anew(told.loaded, None))
    assert dict(anew.changes) == {"options.steps": 31}
    assert (anew.value("model"), anew.value("clip_skip"), anew.value("options.emphasis")) == ("sd15", 2, "None")


def test_the_settings_nearest_to_the_open_file_hold(tmp_path: Path) -> None:
    (tmp_path / "promptlens.toml").write_text("host = 'comfyui'\n[per-path.'*.cap']\nhost = 'kohya'\n")
    start = session("host = 'forge'\n").loaded
    assert load_anew(start, tmp_path / "a.txt").host == "comfyui"
    assert load_anew(start, tmp_path / "a.cap").host == "kohya"
    assert load_anew(start, None).host == "forge"
    named = load_settings(file=Path("promptlens.toml"))
    assert load_anew(named, tmp_path / "a.cap").host == "forge"
    assert load_anew(load_settings(isolated=True), tmp_path / "a.cap").host == "a1111"


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        pytest.param("options.steps", " 30 ", 30, id="a number"),
        pytest.param("clip_skip", "", None, id="nothing, where there may be none"),
        pytest.param("limits.max_chunks", "2", 2, id="a limit"),
        pytest.param("ignore", "TB404 , TB3,", ("TB404", "TB3"), id="codes"),
        pytest.param("ignore", "", (), id="no codes"),
        pytest.param("loras", "", "", id="no folder"),
        pytest.param("options.embeddings", "", None, id="no embeddings"),
    ],
)
def test_what_is_typed(key: str, typed: str, value: Any) -> None:
    assert parsed(rows(Session(Settings()))[key], typed, "a1111") == value


def test_folders_that_are_typed_are_relative_to_the_working_directory() -> None:
    found = rows(Session(Settings()))
    here = Path.cwd()
    assert parsed(found["loras"], "models/Lora", "a1111") == str(here / "models" / "Lora")
    assert parsed(found["options.embeddings"], "~/e", "a1111") == str(Path("~/e").expanduser())
    assert parsed(found["installs"], "ui; /opt/ui ;", "a1111") == (str(here / "ui"), "/opt/ui")
    assert near_path(str(here / "a" / "b")) == str(Path("a", "b"))
    assert near_path(str(Path("~/e").expanduser())) == str(Path("~/e"))


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("options.steps", "many", "steps must be a whole number, not 'many'"),
        ("options.steps", "", "steps must have a value: a whole number"),
        ("clip_skip", "0", "must be a whole number from 1, the last layer, not 0"),
        ("clip_skip", "2.5", "clip-skip must be a whole number, not '2.5'"),
        ("clip_skip", "²", "clip-skip must be a whole number, not '²'"),
        ("limits.max_chunks", "0", "max_chunks must be a whole number from 1"),
        ("ignore", "TB404, [x] 👍", "[x] 👍"),
        ("loras", "~nobody-of-that-name/x", "no user 'nobody-of-that-name'"),
    ],
)
def test_what_will_not_do_is_said(key: str, typed: str, said: str) -> None:
    with pytest.raises(PromptLensError) as caught:
        parsed(rows(Session(Settings()))[key], typed, "a1111")
    assert said in str(caught.value)


def test_steps() -> None:
    found = rows(Session(Settings()).changed("clip_skip", 1))
    assert stepped(found["options.steps"], 1) == 21
    assert stepped(found["options.emphasis"], -1) == "None"
    assert stepped(found["clip_skip"], 1) == 2
    assert stepped(found["clip_skip"], -1) is None
    assert stepped(found["limits.max_chunks"], 1) == 1
    assert stepped(found["limits.max_chunks"], -1) is None
    assert stepped(found["loras"], 1) == ""


def test_an_option_that_may_be_none_is_left_out_again() -> None:
    told = Session(Settings(host="sd_embed", model="sdxl")).changed("options.pad_last_block", True)
    assert [value for value, _ in rows(told)["options.pad_last_block"].choices] == [None, True, False]
    assert told.changed("options.pad_last_block", None).changes == {}
    assert told.job_after("options.pad_last_block", Job("sd_embed", "sdxl")).usual == {"pad_last_block": True}


def test_a_value_that_is_another_hosts_default_is_a_change_here() -> None:
    told = Session(Settings(host="compel", model="sdxl")).changed("host", "sdnext")
    assert told.value("options.tokenizer") == "slow"
    told = told.changed("options.tokenizer", "fast")
    assert told.value("options.tokenizer") == "fast"
    assert told.job_after("options.tokenizer", Job("sdnext", "sdxl")).usual == {"tokenizer": "fast"}
    there = Session(Settings(host="comfyui", model="sdxl")).changed("host", "compel")
    assert there.changed("options.tokenizer", "slow").reloaded(there.loaded).changes == {"host": "compel", "options.tokenizer": "slow"}
    assert there.changed("options.tokenizer", "fast").changes == {"host": "compel"}


def test_a_job_without_settings_has_a_session() -> None:
    job = Job("a1111", "sd15", usual={"steps": 7})
    assert Session.of_job(job).job() == job
    assert Session.of_job(job).reloaded(load_anew(Session.of_job(job).loaded, None)).job() == job


def test_looks_are_remembered_and_what_is_no_looks_is_none(tmp_path: Path) -> None:
    assert remembered_looks(tmp_path) == Looks()
    remember_looks(Looks("nord", True), tmp_path / "new")
    assert remembered_looks(tmp_path / "new") == Looks("nord", True)
    for content in (b"[]", b"{", b"\xff", b'{"theme": 5, "compact": "yes"}'):
        (tmp_path / "looks.json").write_bytes(content)
        assert remembered_looks(tmp_path) == Looks()
