"""The commands in one process: what goes to stdout, what to stderr, and the exit code."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from promptlens import ENCODERS, HOSTS, MODELS, __version__, analyze
from promptlens.__main__ import main
from promptlens.analysis import DEFAULT_HOST, DEFAULT_MODEL

LONG = "one " * 93  # 18 tokens more than a window holds


class Done(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `promptlens` with arguments and what stands on stdin."""

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        code = main(arguments)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run


def counts(done: Done) -> list[str]:
    """The lines of the concise format that count; those of findings have a place after the name."""
    return [line for line in done.out.splitlines() if ": clip-" in line]


def one_error(done: Done) -> str:
    """The one line on stderr of a command that wrote nothing else and ended with 2."""
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


# check: what is read as what


def test_a_prompt(run: Run) -> None:
    done = run("check", "a cat")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[2] == "CLIP-L and CLIP-G: same split · 2 tokens in 1 chunk · the host counts 2/75"


def test_defaults_are_those_of_analyze(run: Run) -> None:
    said = run("check", "--help").out
    assert f"[default: {DEFAULT_HOST}]" in said
    assert f"[default: {DEFAULT_MODEL}]" in said


def test_concise(run: Run) -> None:
    done = run("check", "--format", "concise", "one " * 76)
    assert counts(done) == [
        "<text>: clip-l 76/150 tokens, 2 chunks (75|1), 0 lost",
        "<text>: clip-g 76/150 tokens, 2 chunks (75|1), 0 lost",
    ]


def test_lost_words_are_exit_code_1(run: Run) -> None:
    done = run("check", "--host", "diffusers", "--model", "sd15", "--format", "concise", LONG)
    assert done.code == 1
    assert done.out.startswith("<text>: clip-l 93/75 tokens, 1 chunk (75), 18 lost\n")
    assert run("check", "--host", "diffusers", "--exit-zero", LONG).code == 0


def test_lost_words_are_named(run: Run) -> None:
    done = run("check", "--host", "diffusers", "one " * 75 + "lost words")
    assert done.code == 1
    assert '2 tokens never reach the model:\n  "lost words"\n' in done.out


def test_a_file_is_one_prompt(run: Run, isolated: Path) -> None:
    Path("hero.txt").write_bytes(b"\xef\xbb\xbfa cat\r\n")
    done = run("check", "--format", "json", "hero.txt")
    assert json.loads(done.out)["prompt"] == "a cat"


def test_several_arguments_are_told_apart(run: Run) -> None:
    Path("b.txt").write_text("a dog")
    done = run("check", "--model", "sd15", "--format", "concise", "a cat", "b.txt", "a fox")
    assert [line.split(": ")[0] for line in counts(done)] == ["<text 1>", "b.txt", "<text 2>"]


def test_text_and_file_settle_what_an_argument_is(run: Run) -> None:
    Path("cat").write_text("a dog")
    assert json.loads(run("check", "--format", "json", "cat").out)["prompt"] == "a dog"
    assert json.loads(run("check", "--format", "json", "--text", "cat").out)["prompt"] == "cat"
    assert json.loads(run("check", "--format", "json", "--text", "-").out)["prompt"] == "-"
    assert one_error(run("check", "--file", "nothing")) == "nothing: cannot be read: No such file or directory."


def test_what_looks_like_a_file_that_is_not_there(run: Run) -> None:
    done = run("check", "--format", "concise", "hero.txt", "a cat")
    assert done.code == 2
    assert done.out.startswith("<text>: clip-l 2/75")
    assert done.err.splitlines() == [
        "note: 'hero.txt' is taken for the name of a file. If it is a prompt, say so with --text.",
        "error: hero.txt: cannot be read: No such file or directory.",
    ]
    assert run("check", "--text", "hero.txt").err == ""
    assert run("check", "a cat, see hero.txt").err == ""


def test_stdin_is_one_prompt(run: Run) -> None:
    done = run("check", "--format", "json", "-", stdin="a 日本 cat\nand dog\n".encode())
    assert json.loads(done.out)["prompt"] == "a 日本 cat\nand dog"


def test_stdin_by_lines(run: Run) -> None:
    done = run("check", "--model", "sd15", "--format", "concise", "--stdin-format", "lines", "-", stdin=b"a cat\n\na dog\n")
    assert [line.split(": ")[0] for line in counts(done)] == ["<stdin>:1", "<stdin>:3"]


def test_the_negative_prompt_is_checked_as_one(run: Run) -> None:
    done = run("check", "--model", "sd15", "--format", "json", "--negative", "bad AND ugly", "a cat AND dog")
    positive, negative = json.loads(done.out)
    assert (positive["id"], positive["role"], len(positive["lines"])) == ("<text>", "positive", 2)
    assert (negative["id"], negative["role"], len(negative["lines"])) == ("<negative>", "negative", 1)
    assert negative["options"]["negative"] is True


def test_host_options(run: Run) -> None:
    text = "a very red and fluffy cat, " * 15
    usual, none = concise(text, 20), concise(text, 0)
    assert usual != none
    brief = ("check", "--model", "sd15", "--format", "concise")
    assert counts(run(*brief, text)) == [usual]
    assert counts(run(*brief, "--comma-backtrack", "0", text)) == [none]
    assert counts(run(*brief, "--set", "comma_padding_backtrack=0", text)) == [none]
    assert json.loads(run("check", "--format", "json", "--emphasis", "none", "(a)").out)["options"]["emphasis"] == "None"
    options = json.loads(run("check", "--format", "json", "--steps", "30", "--embedding", "neg=8", "a").out)["options"]
    assert (options["steps"], options["embeddings"]) == (30, {"neg": 8})


def concise(text: str, backtrack: int) -> str:
    use = analyze(text, model="sd15", comma_padding_backtrack=backtrack).usage.encoders[0]
    sizes = "|".join(str(chunk.used) for chunk in use.chunks)
    return f"<text>: clip-l {use.shown_count}/{75 * len(use.chunks)} tokens, {len(use.chunks)} chunks ({sizes}), 0 lost"


def test_only_so_many_findings_are_listed(run: Run) -> None:
    done = run("check", "red cat, " * 1_000)
    assert len(done.out) < 12_000
    assert "more findings: " in done.out or "warning" not in done.out


def test_an_embeddings_folder(run: Run) -> None:
    folder = Path("embeddings")
    folder.mkdir()
    header = json.dumps({"emb_params": {"dtype": "F32", "shape": [3, 768], "data_offsets": [0, 0]}}).encode()
    (folder / "neg.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    done = run("check", "--format", "json", "--embeddings-dir", "embeddings", "--embedding", "more=2", "neg")
    assert json.loads(done.out)["options"]["embeddings"] == {"neg": 3, "more": 2}


def test_json_is_the_report(run: Run) -> None:
    text = "a (red:1.2) 日本 cat \x9b31m"
    done = run("check", "--format", "json", text)
    assert json.loads(done.out) == json.loads(json.dumps(analyze(text).to_dict()))
    assert "\x9b" not in done.out


def test_svg(run: Run) -> None:
    done = run("check", "--format", "svg", "a [red] cat <b> \x1b[31m")
    assert done.out.startswith("<svg ")
    assert "\x1b" not in done.out
    assert "http://" not in done.out.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in done.out


# check: JSON lines


def test_a_line_in_is_a_line_out(run: Run) -> None:
    rows = [
        {"id": 7, "text": "a cat"},
        {"id": "x", "text": LONG, "options": {"host": "diffusers", "model": "sd15"}},
        {"text": "red, " * 40, "options": {"comma_padding_backtrack": 0}, "source": "elsewhere"},
    ]
    stdin = "\n".join(map(json.dumps, rows)).encode()
    done = run("check", "--format", "jsonl", "--stdin-format", "jsonl", "-", stdin=stdin)
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [f["id"] for f in found] == [7, "x", "<stdin>:3"]
    assert [(f["host"], f["model"]) for f in found] == [("a1111", "sdxl"), ("diffusers", "sd15"), ("a1111", "sdxl")]
    assert found[2]["options"]["comma_padding_backtrack"] == 0
    assert found[1]["lines"][0]["encoders"][0]["lost"]["count"] == 18
    assert (done.code, done.err) == (1, "")


BAD_LINES = [
    (b"{", "line 2 is not JSON: "),
    (b"[1]", 'line 2 must be an object {"id", "text", "options"}, not list.'),
    (b'{"id": 1}', "line 2: has no 'text'."),
    (b'{"text": 5}', "line 2: 'text' must be a string, not int."),
    (b'{"text": "a", "options": []}', "line 2: 'options' must be an object, not list."),
    (b'{"text": "a", "options": {"host": "comfi"}}', "line 2: Unknown host 'comfi'."),
    (b'{"text": "a", "options": {"host": 5}}', "line 2: host must be a string, not 5."),
    (b'{"text": "a", "options": {"model": "sdx"}}', "line 2: Unknown model 'sdx'."),
    (b'{"text": "a", "options": {"stepps": 3}}', "line 2: a1111: Unknown option 'stepps'."),
    (b'{"text": "a", "options": {"steps": "many"}}', "line 2: steps must be a whole number from 1 to 1000, not 'many'."),
    (b'{"text": "\xff"}', "line 2 is not UTF-8: byte 0xff at its byte 11."),
    (b'{"text": "a", "id": NaN}', "line 2 is not JSON: NaN is no JSON number."),
    (b"[" * 100_000, "line 2 "),
]


@pytest.mark.parametrize(("line", "why"), BAD_LINES, ids=[why[:40] for _, why in BAD_LINES])
def test_a_bad_line_is_told_and_the_others_are_done(run: Run, line: bytes, why: str) -> None:
    stdin = b'{"id": 1, "text": "a"}\n' + line + b'\n{"id": 3, "text": "b"}\n'
    done = run("check", "--format", "jsonl", "--stdin-format", "jsonl", "-", stdin=stdin)
    first, bad, last = map(json.loads, done.out.splitlines())
    assert (first["id"], last["id"]) == (1, 3)
    assert (bad["line"], bad["ok"]) == (2, False)
    assert bad["error"].startswith(why)
    assert done.err == "error: 1 of the prompts could not be checked; their lines say why.\n"
    assert done.code == 2


def test_a_bad_line_keeps_its_id(run: Run) -> None:
    stdin = b'{"id": "mine", "text": "a", "options": {"steps": 0}}'
    row = json.loads(run("check", "--format", "jsonl", "--stdin-format", "jsonl", "-", stdin=stdin).out)
    assert (row["id"], row["line"]) == ("mine", 1)


def test_other_formats_tell_bad_lines_on_stderr(run: Run) -> None:
    done = run("check", "--format", "concise", "--stdin-format", "jsonl", stdin=b'{"text": "a"}\n{\n')
    assert done.code == 2
    assert done.err.startswith("error: <stdin>:2: line 2 is not JSON: ")
    assert done.out.startswith("<stdin>:1: clip-l 1/75")


def test_options_of_the_run_hold_for_other_hosts_as_far_as_they_have_them(run: Run) -> None:
    stdin = json.dumps({"text": "neg", "options": {"host": "comfyui"}}).encode()
    done = run("check", "--embedding", "neg=3", "--steps", "5", "--format", "jsonl", "--stdin-format", "jsonl", "-", stdin=stdin)
    assert json.loads(done.out)["options"]["embeddings"] == {"neg": 3}


# Bad input


BAD_USE = [
    (["check", "--host", "comfi", "a"], "Unknown host 'comfi'. Known: a1111, ", "Did you mean 'comfyui'?"),
    (["check", "--model", "sd1.5", "a"], "Unknown model 'sd1.5'. Known: sd15, ", "Did you mean 'sd15'?"),
    (["check", "--set", "stepss=5", "a"], "a1111: Unknown option 'stepss'. ", "Did you mean 'steps'?"),
    (["check", "--set", "steps", "a"], "--set takes NAME=VALUE, not 'steps'.", ""),
    (["check", "--set", "steps=many", "a"], "steps must be a whole number, not 'many'.", ""),
    (["check", "--set", "negative=maybe", "a"], "negative must be true or false, not 'maybe'.", ""),
    (["check", "--emphasis", "Orginal", "a"], "emphasis must be one of ", "Did you mean 'Original'?"),
    (["check", "--comma-backtrack", "75", "a"], "comma_padding_backtrack must be a whole number from 0 to 74, not 75.", ""),
    (["check", "--host", "comfyui", "--steps", "5", "a"], "comfyui: Unknown option 'steps'. ", ""),
    (["check", "--embedding", "neg", "a"], "--embedding takes NAME=VECTORS, ", ""),
    (["check", "--embeddings-dir", "nowhere", "a"], "nowhere: does not exist; ", ""),
    (["check", "--format", "jsn", "a"], "Invalid value for '--format': 'jsn' is not one of ", "Try 'promptlens check --help'."),
    (["check", "--hots", "a"], "No such option", "Try 'promptlens check --help'."),
    (["check"], "Nothing to check: ", ""),
    (["check", "-", "-"], "'-' (standard input) can be given only once.", ""),
    (["check", "--stdin-format", "lines", "a"], "--stdin-format is for '-', ", ""),
    (["check", "--config", "nowhere.toml", "a"], "nowhere.toml: cannot be read: No such file or directory.", ""),
    (["check", "--config", "x", "--isolated", "a"], "--config and --isolated exclude each other.", ""),
    (["tokens", "--encoder", "clip-x", "a"], "sdxl: Unknown encoder 'clip-x'. Known: clip-l, clip-g.", ""),
    (["chek", "a"], "Unknown command 'chek'. Did you mean 'check'?", ""),
    (["a lovely cat"], "Unknown command 'a lovely cat'. ", "promptlens check"),
    (["check", "a\udcff"], "<text>: the argument holds the byte 0xff at character 2, which is not UTF-8.", "UTF-8 file"),
    (["check", "--negative", "\udc80"], "<negative>: the argument holds the byte 0x80 at character 1", ""),
    (["check", "--host", "\x1b[31m", "a"], "Unknown host '\\x1b[31m'.", ""),
]


@pytest.mark.parametrize(("arguments", "begins", "holds"), BAD_USE, ids=[begins[:50] for _, begins, _ in BAD_USE])
def test_wrong_use_is_one_line_and_exit_code_2(run: Run, arguments: list[str], begins: str, holds: str) -> None:
    said = one_error(run(*arguments))
    assert said.startswith(begins)
    assert holds in said
    assert said.isprintable()


def test_a_folder_without_prompts(run: Run) -> None:
    Path("folder").mkdir()
    assert run("check", "folder") == (0, "", "note: folder: there are no files with prompts in it.\n")
    assert one_error(run("tokens", "folder")) == "folder: is a folder, and one prompt is wanted: give the name of a file."


@pytest.mark.parametrize(
    ("content", "of_file", "of_stdin"),
    [
        (b"a caf\xe9 cat", "bad.txt:1:6: TB501 byte 0xE9 is not UTF-8 text.", "is not UTF-8: byte 0xe9 at byte offset 5. Save it as UTF-8"),
        (b"\xef\xbb\xbfa\xff", "bad.txt:1:2: TB501 byte 0xFF is not UTF-8 text.", "is not UTF-8: byte 0xff at byte offset 4."),
    ],
    ids=["latin-1", "after a BOM"],
)
def test_bytes_that_are_no_text(run: Run, content: bytes, of_file: str, of_stdin: str) -> None:
    Path("bad.txt").write_bytes(content)
    assert one_error(run("check", "bad.txt")) == f"{of_file} Save the file as UTF-8."
    done = run("check", "-", stdin=content)
    assert done.err.startswith(f"error: <stdin>: {of_stdin}")
    assert done.code == 2


def test_utf_16_is_read_from_files(run: Run) -> None:
    Path("wide.txt").write_bytes("a cat".encode("utf-16"))
    assert json.loads(run("check", "--format", "json", "wide.txt").out)["prompt"] == "a cat"
    done = run("check", "-", stdin="a cat".encode("utf-16"))
    assert done.err.startswith("error: <stdin>: is UTF-16, not UTF-8 (byte offset 0).")


def test_a_bad_file_does_not_stop_the_others(run: Run) -> None:
    Path("bad.txt").write_bytes(b"\xff")
    done = run("check", "--model", "sd15", "--format", "concise", "a cat", "bad.txt", "a dog")
    assert len(counts(done)) == 2
    assert done.err.startswith("error: bad.txt:1:1: TB501 byte 0xFF is not UTF-8 text.")
    assert done.code == 2
    assert run("check", "--exit-zero", "bad.txt").code == 2


def test_the_host_error_is_a_result(run: Run) -> None:
    done = run("check", "(x:1.2.3)")
    assert (done.code, done.err) == (1, "")
    assert "AUTOMATIC1111 fails on this prompt (ValueError)" in done.out
    done = run("check", "--format", "concise", "(x:1.2.3)")
    assert done.out.startswith("<text>:1:4: error a1111 ValueError: The weight '1.2.3' is not a number")
    assert json.loads(run("check", "--format", "json", "(x:1.2.3)").out)["host_error"]["name"] == "ValueError"


def test_an_empty_prompt(run: Run) -> None:
    assert "The prompt is empty: the model gets no words." in run("check", "").out


def test_ten_megabytes(run: Run) -> None:
    done = run("check", "--host", "diffusers", "--model", "sd15", "-", stdin=b"masterpiece, a cat, " * 500_000)
    assert done.code == 1
    assert "2,499,925 tokens never reach the model" in done.out
    assert "characters not shown …" in done.out
    assert len(done.out) < 8_000


def test_a_crash_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("something\nodd")

    monkeypatch.setattr("promptlens.job.analyze_with", crash)
    said = one_error(run("check", "a cat"))
    assert said.startswith("PromptLens failed where it should not (RuntimeError: something\\nodd). Please report it")
    monkeypatch.setenv("PROMPTLENS_DEBUG", "1")
    assert "Traceback (most recent call last)" in run("check", "a cat").err


# tokens


def test_the_token_table(run: Run) -> None:
    done = run("tokens", "a (日本:1.2) BREAK cat")
    assert done.out == (
        "CLIP-L and CLIP-G: the same tokens\n"
        "#  text  piece       id  span   chunk  slot  weight\n"
        "1  a     a</w>      320  0-1        1     1  1\n"
        "2  日    æĹ¥      39121  3-4        1     2  1.2\n"
        "3  本    æľ       19277  4-5        1     3  1.2\n"
        "4  本    ¬</w>      361  4-5        1     4  1.2\n"
        "5  cat   cat</w>   2368  17-20      2     1  1\n"
    )
    assert done.code == 0


def test_lost_tokens_are_marked(run: Run) -> None:
    done = run("tokens", "--host", "diffusers", "--model", "sd15", "one " * 75 + "lost")
    assert done.out.splitlines()[-2:] == [
        "75  one   one</w>    637  296-299      1    75  1",
        "76  lost  lost</w>  2624  300-304   lost     -  1",
    ]


def test_encoders_with_other_tokens_have_a_table_each(run: Run) -> None:
    done = run("tokens", "--host", "diffusers", "wow!!!")
    assert [line for line in done.out.splitlines() if line.startswith("CLIP")] == ["CLIP-L", "CLIP-G"]
    alone = run("tokens", "--host", "diffusers", "--encoder", "clip-g", "wow!!!")
    assert alone.out.startswith("CLIP-G\n")
    assert done.out.endswith(alone.out)


def test_tokens_as_data(run: Run) -> None:
    report = analyze("a (red:1.2) cat, " * 20)
    want = [(t.id, t.piece, t.span.start, t.span.end, t.weight) for chunk in report.usage.encoders[0].chunks for t in chunk.tokens]
    text = report.usage.prompt
    rows = json.loads(run("tokens", "--format", "json", text).out)
    assert [(r["id"], r["piece"], *r["span"], r["weight"]) for r in rows] == want
    assert {tuple(r["encoders"]) for r in rows} == {("clip-l", "clip-g")}
    assert [json.loads(line) for line in run("tokens", "--format", "jsonl", text).out.splitlines()] == rows
    table = list(csv.DictReader(io.StringIO(run("tokens", "--format", "csv", text).out)))
    assert [(int(r["id"]), r["text"], r["span"]) for r in table] == [(r["id"], r["text"], "{} {}".format(*r["span"])) for r in rows]


def test_tokens_of_several_texts(run: Run) -> None:
    rows = json.loads(run("tokens", "--model", "sd15", "--format", "json", "a [cat:dog:0.5]").out)
    assert [(r["line"], r["text"]) for r in rows] == [(0, "a"), (0, "cat"), (1, "a"), (1, "dog")]
    assert "CLIP-L · text 2 of 2, steps 11-20\n" in run("tokens", "--model", "sd15", "a [cat:dog:0.5]").out


def test_tokens_of_a_prompt_the_host_fails_on(run: Run) -> None:
    done = run("tokens", "(x:1.2.3)")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: AUTOMATIC1111 fails on this prompt (ValueError). The weight '1.2.3' is not a number")


def test_control_characters_never_reach_the_terminal(run: Run) -> None:
    text = "a \x1b[31mred \x9b0m \x07 \u202e x\x7f"
    for output_format in ("full", "json", "jsonl", "csv"):
        out = run("tokens", "--format", output_format, text).out
        assert not set(out) & set("\x1b\x9b\x07\u202e\x7f"), output_format
    for output_format in ("full", "concise", "json", "jsonl", "svg"):
        out = run("check", "--format", output_format, text).out
        assert not set(out) & set("\x1b\x9b\x07\u202e\x7f"), output_format


# hosts, models, help


def test_hosts(run: Run) -> None:
    said = run("hosts").out
    assert all(f"{host.name:<12} {host.title}" in said for host in HOSTS.values())
    assert "AUTOMATIC1111 · default" in said
    rows = json.loads(run("hosts", "--format", "json").out)
    assert [row["name"] for row in rows] == list(HOSTS)
    assert [row["name"] for row in rows if row["default"]] == [DEFAULT_HOST]


def test_models(run: Run) -> None:
    assert all(f"{name}" in run("models").out for name in MODELS)
    rows = json.loads(run("models", "--format", "json").out)
    assert [row["name"] for row in rows] == list(MODELS)
    assert {e["name"] for row in rows for e in row["encoders"]} <= set(ENCODERS)


def test_version(run: Run) -> None:
    assert run("--version").out == f"promptlens, version {__version__}\n"


def test_alone_it_shows_its_help(run: Run) -> None:
    done = run()
    assert done.code == 0
    assert done.out == run("--help").out
    assert all(f"\n  {name} " in done.out for name in ("check", "tokens", "hosts", "models"))
