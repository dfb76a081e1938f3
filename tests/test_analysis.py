"""The public contract: what `analyze` gives for a prompt, and what it loads for that."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest
from reference_tokenizers import spelt_out

import promptlens
from promptlens import HOSTS, MODELS, Report, analyze
from promptlens.errors import UnsupportedError

START, END = 49406, 49407
EVERY_HOST = pytest.mark.parametrize("host", list(HOSTS))


# --- the example everybody sees first ---


def test_the_example_of_the_documents() -> None:
    report = analyze("a (red:1.2) cat", host="a1111", model="sdxl")
    first, second = report.usage.encoders
    assert (first.encoder.name, second.encoder.name) == ("clip-l", "clip-g")
    content = (START, *spelt_out("a red cat", "slow-ftfy"), END)
    assert [c.ids for c in first.chunks] == [(*content, *[END] * 72)]
    assert [c.ids for c in second.chunks] == [(*content, *[0] * 72)]
    assert [c.weights for c in first.chunks] == [(1.0, 1.0, 1.2, *[1.0] * 74)]
    assert first.shown_count == 3
    assert first.lost == ()
    assert [(t.piece, t.span.of("a (red:1.2) cat"), t.weight, t.word) for t in first.tokens] == [
        ("a</w>", "a", 1.0, 0),
        ("red</w>", "red", 1.2, 1),
        ("cat</w>", "cat", 1.0, 2),
    ]
    assert report.usage.host_error is None


def test_host_and_model_may_be_left_out() -> None:
    usage = analyze("a cat").usage
    assert (usage.host.name, usage.model.name) == ("a1111", "sdxl")


@EVERY_HOST
@pytest.mark.parametrize("model", MODELS)
def test_every_host_reads_every_model_it_knows(host: str, model: str) -> None:
    if MODELS[model].family not in HOSTS[host].families:
        with pytest.raises(
            UnsupportedError, match=f"How .* reads prompts for .* is not known. Hosts that are: .*{MODELS[model].default_host}"
        ):
            analyze("a cat", host=host, model=model)
        return
    encoders = analyze("a cat", host=host, model=model).usage.encoders
    assert [use.encoder for use in encoders] == list(MODELS[model].encoders)
    for use in encoders:
        if use.encoder.vocabulary != "clip":
            assert use.unknown
            continue
        assert use.chunks[0].ids[:4] == (START, 320, 2368, END)
        assert (use.used, use.lost_count, use.wasted) == (2, 0, 0)


def test_a_report_is_a_value() -> None:
    assert analyze("a cat") == analyze("a cat")
    assert analyze("a cat") != analyze("a dog")
    with pytest.raises(FrozenInstanceError):
        analyze("a cat").usage.prompt = "a dog"  # type: ignore[misc]


# --- lines ---


def test_there_is_a_line_for_each_text_the_host_encodes() -> None:
    """Three parts, of which one is edited and one takes turns, over four steps."""
    lines = analyze("[cat:dog:2] AND [a|b]:0.5 AND x", host="a1111", model="sd15", steps=4).usage.lines
    assert [(line.text, line.parsed.part, line.parsed.weight, line.parsed.steps) for line in lines] == [
        ("cat", 0, 1.0, ((1, 2),)),
        ("dog", 0, 1.0, ((3, 4),)),
        (" a", 1, 0.5, ((1, 1), (3, 3))),
        (" b", 1, 0.5, ((2, 2), (4, 4))),
        (" x", 2, 1.0, ()),
    ]
    assert [[t.piece for t in line.encoders[0].tokens] for line in lines] == [["cat</w>"], ["dog</w>"], ["a</w>"], ["b</w>"], ["x</w>"]]


def test_the_encoders_are_those_of_the_line_that_the_counter_shows() -> None:
    usage = analyze("a AND b c AND d e", host="a1111").usage
    assert usage.counted == 1
    assert usage.encoders == usage.lines[1].encoders
    assert usage.fragments == usage.lines[1].fragments
    assert usage.encoders[0].shown_count == 2


def test_lost_tokens_know_what_was_lost() -> None:
    prompt = "cat " * 75 + "red (blue:1.2)"
    use = analyze(prompt, host="diffusers", model="sd15").usage.encoders[0]
    assert [t.span.of(prompt) for t in use.lost] == ["red", "(", "blue", ":", "1", ".", "2", ")"]
    assert [(t.span.start, t.span.end) for t in use.lost][:2] == [(300, 303), (304, 305)]
    assert (use.used, use.free, use.lost_count, len(use.tokens)) == (75, 0, 8, 83)


def test_wasted_places_are_those_before_the_last_chunk() -> None:
    use = analyze("a BREAK b c", host="a1111", model="sd15").usage.encoders[0]
    assert (use.used, use.wasted, use.free, use.capacity) == (3, 74, 73, 150)


# --- a prompt is never wrong use ---

TROUBLE: dict[str, str] = {
    "nothing": "",
    "a lone surrogate": "a \ud800 cat",
    "NUL": "a\0\1\2cat",
    "an escape sequence": "\x1b[31mred\x1b[0m",
    "markup": "[red]a[/red] [link=x]",
    "brackets that never close": "(" * 300 + "[" * 300,
    "brackets that never open": ")" * 300 + "]" * 300,
    "colons and numbers": ":1.2) (x:1.2.3) (x:1e999) (:.)",
    "an endless part weight": "a cat :" + "9" * 400,
    "an endless step": "[a:b:1e999]",
    "no name": "embedding:",
    "a quote alone": '"a ("',
    "only commas": "," * 300,
    "only BREAKs": "BREAK " * 50,
    "only ANDs": "AND " * 50,
}


@EVERY_HOST
@pytest.mark.parametrize("prompt", TROUBLE.values(), ids=TROUBLE)
def test_no_prompt_raises_and_every_report_is_json(host: str, prompt: str) -> None:
    report = analyze(prompt, host=host, model="sdxl")
    plain = report.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert (report.usage.host_error is None) == (plain["host_error"] is None)
    assert report.usage.host_error is None or not report.ok


@pytest.mark.parametrize(
    ("host", "prompt", "error"),
    [
        pytest.param("a1111", "(x:1.2.3)", "ValueError", id="a weight in A1111"),
        pytest.param("a1111", "[a:b:1e999]", "OverflowError", id="a step in A1111"),
        pytest.param("comfyui", "embedding:", "IndexError", id="a name in ComfyUI"),
        pytest.param("comfyui", "(x:1.2.3)", None, id="not a weight in ComfyUI"),
        pytest.param("diffusers", "(x:1.2.3) embedding: [a:b:1e999]", None, id="nothing in diffusers"),
    ],
)
def test_what_the_host_dies_of_is_named(host: str, prompt: str, error: str | None) -> None:
    report = analyze(prompt, host=host)
    assert report.usage.host_error == error
    if error:
        assert not report.ok
        failure = report.to_dict()["host_error"]
        assert failure["name"] == error
        assert failure["message"].endswith(".")
        assert failure["span"][0] < failure["span"][1]


# --- JSON ---


def test_the_report_as_plain_data() -> None:
    prompt = "a <lora:x:1>(cat:nan)"
    plain = analyze(prompt, host="comfyui", model="sdxl", embeddings={"pair": 2}).to_dict()
    assert (plain["schema"], plain["prompt"], plain["host"], plain["model"]) == (1, prompt, "comfyui", "sdxl")
    assert plain["options"] == {"embeddings": {"pair": 2}, "tokenizer": "slow", "ftfy": False, "grouping": "segment"}
    encoder = plain["lines"][0]["encoders"][1]
    assert (encoder["encoder"], encoder["window"], encoder["capacity"], encoder["shown_count"]) == ("clip-g", 77, 75, None)
    chunk = encoder["chunks"][0]
    assert (len(chunk["ids"]), len(chunk["weights"]), chunk["ids"][-1]) == (77, 77, 0)
    last = chunk["tokens"][-1]
    assert last == {"id": 2368, "piece": "cat</w>", "text": "cat", "span": [13, 16], "weight": "nan", "word": last["word"]}


@pytest.mark.parametrize(("weight", "plain"), [("inf", "inf"), ("-inf", "-inf"), ("nan", "nan"), ("1.5", 1.5), ("-1", -1.0)])
def test_weights_that_json_lacks_are_words(weight: str, plain: float | str) -> None:
    report = analyze(f"(cat:{weight})", host="comfyui", model="sd15")
    chunk = json.loads(json.dumps(report.to_dict(), allow_nan=False))["lines"][0]["encoders"][0]["chunks"][0]
    assert chunk["weights"][1] == chunk["tokens"][0]["weight"] == plain
    assert math.isclose(float(chunk["weights"][1]), float(weight)) or weight == "nan"


def test_tokens_may_be_left_out() -> None:
    plain = analyze("cat " * 80, host="diffusers", model="sd15").to_dict(tokens=False)
    encoder = plain["lines"][0]["encoders"][0]
    assert (encoder["chunks"][0]["tokens"], encoder["lost"]) == ([], {"count": 5, "tokens": []})
    assert len(encoder["chunks"][0]["ids"]) == 77


# --- the package itself ---


def loaded_after(code: str) -> set[str]:
    """Modules that a fresh interpreter has loaded after some code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30).stdout.split())


def test_importing_the_package_loads_nothing_of_it() -> None:
    loaded = loaded_after("import promptlens; promptlens.__version__")
    assert {m for m in loaded if m.startswith("promptlens")} == {"promptlens"}


def test_a_plain_analysis_loads_nothing_heavy() -> None:
    loaded = loaded_after("from promptlens import analyze; analyze('a (red:1.2) cat, 8k', host='a1111').usage.encoders[0].tokens")
    assert not loaded & {"torch", "transformers", "tokenizers", "numpy", "rich", "textual", "click", "yaml", "ftfy", "wcwidth"}
    assert {m for m in loaded if m.startswith("promptlens.hosts.") and "._" not in m} == {"promptlens.hosts.a1111"}


def test_every_public_name_is_there() -> None:
    for name in promptlens.__all__:
        assert getattr(promptlens, name) is not None
        assert name in dir(promptlens)
    assert promptlens.Report is Report


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'analyse'"):
        promptlens.analyse  # noqa: B018
