"""One small file of each kind, with the prompts that its host reads from it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hypothesis import settings

from promptlens.sources import FORMATS, Format, Notice, Prompt, ReadSettings, read, read_document
from promptlens.sources._document import decode
from promptlens.sources._format import DEFAULT_SETTINGS

DATA = Path(__file__).parent.parent / "data" / "sources"
QUICK = settings(max_examples=40, deadline=None)  # hypothesis runs once for each of many samples
KEYS = ReadSettings(keys=(("items[].text", "positive"), ("**.negative", "negative")))
COLUMN = ReadSettings(keys=(("text", "positive"),))


class Sample(NamedTuple):
    """A file: its format, name and bytes, and (role, text) of its prompts in order."""

    format: str
    name: str
    content: bytes
    prompts: list[tuple[str, str]]
    settings: ReadSettings = DEFAULT_SETTINGS

    def write(self, folder: Path) -> Path:
        """The file in a folder of its own."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content)
        return path


P, N, C = "positive", "negative", "caption"

SAMPLES = [
    Sample("text", "hero.prompt", b"\r\n a cat,\r\n in the sun \r\n", [(P, "a cat,\n in the sun")]),
    Sample("lines", "list.txt", "a cat\n\n  a dog \r\nein Bär 🐻".encode(), [(P, "a cat"), (P, "a dog"), (P, "ein Bär 🐻")]),
    Sample(
        "styles",
        "styles.csv",
        b'\xef\xbb\xbfname,prompt,negative_prompt\r\nPhoto,"photo of {prompt}, ""raw""\nsharp", blurry\r\n#off,x,y\r\n---- MORE ----,,\r\n',
        [(P, 'photo of {prompt}, "raw"\nsharp'), (N, "blurry")],
    ),
    Sample("styles", "old styles.csv", b"name,text\nA,words\n", [(P, "words")]),
    Sample(
        "prompts-from-file",
        "jobs.txt",
        b"a cat\n--prompt \"a 'red' cat\" in rain --negative_prompt 'bad \"x\"' --steps 20\na dog --steps 20\n--seed 4\n",
        [(P, "a cat"), (P, "a 'red' cat in rain"), (N, 'bad "x"'), (P, "a dog --steps 20")],
    ),
    Sample(
        "infotext",
        "00001.txt",
        b"a cat, \n  red\n\nNegative prompt: bad\n  hands\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512",
        [(P, "a cat,\nred\n"), (N, "bad\nhands")],
    ),
    Sample("wildcards", "wildcards/color.txt", b"red\n# no\n\n blue \xe9sky\n", [(P, "red"), (P, "blue sky")]),
    Sample(
        "wildcards",
        "wildcards/all.yaml",
        b"a:\n  b:\n    - red # c\n    - \"2::\\u00e9 blue\"\n    - {text: green, weight: 3}\n    - 7\n  c: 'one'\n"
        b"d:\n  - |\n    two\n    lines\n",
        [(P, "red"), (P, "é blue"), (P, "green"), (P, "one"), (P, "two\nlines\n")],
    ),
    Sample("wildcards", "wildcards/all.json", b'{"a": {"b": ["red", "0.5::blue", 3, null]}}', [(P, "red"), (P, "blue")]),
    Sample("kohya-caption", "0001.caption", b"1girl, solo\nlost\n", [(C, "1girl, solo")]),
    Sample(
        "kohya-samples", "sample_prompts.txt", b"# c\na cat --n bad hands --w 512\nplain\n", [(P, "a cat"), (N, "bad hands"), (P, "plain")]
    ),
    Sample(
        "kohya-samples",
        "run.toml",
        b"[prompt]\nwidth = 512\nnegative_prompt = 'bad'\n[[prompt.subset]]\nprompt = \"a \\u00e9 cat\"\n"
        b'[[prompt.subset]]\nprompt = """\na\ndog"""\n',
        [(N, "bad"), (P, "a é cat"), (P, "a\ndog")],
    ),
    Sample(
        "kohya-samples",
        "samples.json",
        b'["a cat --w 512 --n blurry", {"prompt": "a dog", "negative_prompt": "bad"}]',
        [(P, "a cat"), (N, "blurry"), (P, "a dog"), (N, "bad")],
    ),
    Sample("kohya-metadata", "meta.json", b'{"img/1.png": {"caption": "a cat", "tags": "cat, red"}}', [(C, "a cat"), (C, "cat, red")]),
    Sample("fooocus", "preset.json", b'{"default_prompt": "a cat", "default_prompt_negative": "bad"}', [(P, "a cat"), (N, "bad")]),
    Sample("lora-notes", "lora.json", b'{"activation text": "xyz style", "negative text": "bad"}', [(P, "xyz style"), (N, "bad")]),
    Sample(
        "styler",
        "sdxl.json",
        b'[{"name": "Sai", "prompt": "art {prompt}"}, {"name": "B", "negative_prompt": "n"}]',
        [(P, "art {prompt}"), (N, "n")],
    ),
    Sample("invokeai", "presets.json", b'[{"name": "A", "positive_prompt": " a {prompt} ", "negative_prompt": ""}]', [(P, "a {prompt}")]),
    Sample("invokeai", "presets.csv", b'name,positive_prompt,negative_prompt\nA,"a, b",bad\n', [(P, "a, b"), (N, "bad")]),
    Sample(
        "keyed", "my.json", b'{"items": [{"text": "a\\ncat", "negative": "b"}, {"text": "c"}]}', [(P, "a\ncat"), (N, "b"), (P, "c")], KEYS
    ),
    Sample("keyed", "my.yml", b"items:\n- text: a cat\n  negative: [x]\n- text: >-\n    a\n    dog\n", [(P, "a cat"), (P, "a dog")], KEYS),
    Sample("keyed", "my.toml", b"items = [{text = 'a cat'}]\nnegative = \"bad\"\n", [(P, "a cat"), (N, "bad")], KEYS),
    Sample("keyed", "my.csv", b'id,text\n1,a cat\n2,"a ""dog"""\n', [(P, "a cat"), (P, 'a "dog"')], COLUMN),
    Sample("jsonl", "my.jsonl", b'{"text": "a \\"cat\\""}\n\n{"text": "b"}\n', [(P, 'a "cat"'), (P, "b")], COLUMN),
    Sample("comfyui", "api.json", (DATA / "comfy_api.json").read_bytes(), []),
    Sample("comfyui", "ui.json", (DATA / "comfy_ui.json").read_bytes(), []),
    Sample("comfyui", "page.json", (DATA / "comfy_page.json").read_bytes(), []),
    Sample("comfyui", "subgraphs.json", (DATA / "comfy_subgraphs.json").read_bytes(), []),
]


def prompts_of(path: Path, settings: ReadSettings = DEFAULT_SETTINGS, as_format: str | None = None) -> list[Prompt]:
    """The prompts of a file."""
    return [item for item in read(path, settings=settings, as_format=as_format) if isinstance(item, Prompt)]


def notices_of(path: Path, settings: ReadSettings = DEFAULT_SETTINGS) -> list[Notice]:
    """The notices of a file."""
    return [item for item in read(path, settings=settings) if isinstance(item, Notice)]


def prompts_in(content: bytes, row: Format, name: str = "file", settings: ReadSettings = DEFAULT_SETTINGS) -> list[Prompt]:
    """The prompts of a file's content."""
    document = decode(name, content, bom=row.bom, undecodable=row.undecodable)
    return [item for item in read_document(document, row, settings) if isinstance(item, Prompt)]


def rows() -> list[Format]:
    """All formats."""
    return [FORMATS[name] for name in FORMATS]
