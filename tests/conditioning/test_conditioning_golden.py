"""Every recorded tensor of the real hosts on tiny checkpoints, and transformers itself where nothing is recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from promptlens import analyze, conditioning, load_encoder
from promptlens.errors import ConditioningError

SHARED = Path(__file__).resolve().parents[3] / "shared"
DATA = SHARED / "golden" / "conditioning"
# Lines of each host: the tensors, and those where the host fails on the prompt, not with one release of a library.
COUNTS = {"a1111": (139, 0), "comfyui": (91, 0), "diffusers": (112, 0), "forge": (65, 0), "compel": (90, 2), "sd_embed": (65, 0)}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("checkpoints")
    subprocess.run([sys.executable, str(SHARED / "tools" / "make_checkpoints.py"), str(folder)], check=True)
    return {name: load_encoder(folder / "hf" / name, name) for name in ("clip-l", "clip-g")}


@lru_cache(maxsize=1)
def lines() -> list[dict[str, Any]]:
    with (DATA / "cases.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def clip_skip(host: str, options: dict[str, Any]) -> int | None:
    """The line's setting as the n-th layer from the end."""
    if host == "a1111":
        return int(options.pop("clip_stop_at_last_layers"))
    given = options.pop("clip_skip", None)
    if given in (None, "default"):
        return None
    if host == "forge":
        return int(given)
    if host == "comfyui":
        return -int(given)
    return int(given) + (1 if options["model"] == "sd1" else 2) if given else None


def call(row: dict[str, Any], arrays: Any) -> tuple[str, dict[str, Any]] | None:
    """The prompt and the keywords of a line; None for what is no call of ours: a negative prompt of None, which SDXL makes zeros of."""
    host, text, options = row["host"], row["text"], dict(row["options"])
    skip = clip_skip(host, options)
    if options.pop("returned", None) == "negative":
        if options["negative_prompt"] is None and options["model"] == "sdxl":
            return None
        text = ""
    if host == "forge":
        options["negative"] = options.pop("negative_prompt", False)
    elif host == "diffusers":
        options.pop("negative_prompt", None)
    if str(options.get("transformers", "")).startswith("4."):
        options |= {"tokenizer": "slow", "ftfy": False}
    if options.pop("embedding", None):
        vectors = {"clip-l": arrays["embedding_twovec"]}
        if "embedding_twovec_g" in arrays.files:
            vectors["clip-g"] = arrays["embedding_twovec_g"]
        options["embeddings"] = {"twovec": vectors}
    for name in ("diffusers", "transformers", "compel", "class"):
        options.pop(name, None)
    model = {"sd1": "sd15", "sdxl": "sdxl"}[options.pop("model")]
    return text, {"host": host, "model": model, "clip_skip": skip, **options}


def rows(host: str, *, failing: bool) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
    arrays = np.load(DATA / f"{host}.npz")
    for row in lines():
        if row["host"] == host and ("error" in row) == failing and (made := call(row, arrays)):
            yield row, *made


@pytest.mark.shared
@pytest.mark.encoder
@pytest.mark.skipif(not DATA.exists(), reason="the recordings are not beside the project")
@pytest.mark.parametrize("host", COUNTS)
def test_tensors_are_those_of_the_real_host(host: str, encoders: dict[str, Any]) -> None:
    arrays = np.load(DATA / f"{host}.npz")
    seen, worst, differences = 0, 0.0, []
    for row, text, options in rows(host, failing=False):
        seen += 1
        want, pooled = arrays[f"cond_{row['case']}"], f"pooled_{row['case']}"
        got = conditioning(text, encoders=encoders, **options)
        if got.hidden.shape != want.shape:
            differences.append(f"{row['id']} {row['options']}: {got.hidden.shape} want {want.shape}")
            continue
        share = float((np.abs(got.hidden - want) / (5e-5 + 2e-5 * np.abs(want))).max())
        if pooled in arrays.files:
            assert got.pooled is not None, row["id"]
            share = max(share, float(np.abs(got.pooled - arrays[pooled]).max()) / 2e-5)
        else:
            assert got.pooled is None, row["id"]
        worst = max(worst, share)
        if share > 1:
            differences.append(f"{row['id']} {row['options']}: {share:.1f} times the tolerance")
    assert differences == []
    assert seen == COUNTS[host][0]
    print(f"{host}: {seen} tensors, at most {worst:.2f} of the tolerance")


@pytest.mark.shared
@pytest.mark.encoder
@pytest.mark.skipif(not DATA.exists(), reason="the recordings are not beside the project")
def test_prompts_that_compel_fails_on_have_no_tensor(encoders: dict[str, Any]) -> None:
    """The two-encoder `Compel` also fails on every blend, which CompelForSDXL, taken for the host here, does not."""
    failing = [(row["id"], text, options) for row, text, options in rows("compel", failing=True) if row["error"] != "TypeError"]
    failing = [(name, text, options) for name, text, options in failing if name != "plain-short"]
    assert len(failing) == COUNTS["compel"][1]
    for _, text, options in failing:
        with pytest.raises(ConditioningError, match=r"AttributeError"):
            conditioning(text, encoders=encoders, **options)


@pytest.mark.encoder
def test_diffusers_inversions_as_transformers_encodes_added_tokens(tmp_path: Path) -> None:
    """The second encoder of SDXL says `eos_token_id` 2 in its config.json, so pooled is read at the largest id."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(3)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 1, "projection_dim": 64}
    ends = {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
    model = transformers.CLIPTextModelWithProjection(
        transformers.CLIPTextConfig(vocab_size=49408, hidden_act="gelu", **sizes, **ends)
    ).eval()
    model.save_pretrained(tmp_path)
    encoder = load_encoder(tmp_path, "clip-g")
    vectors = np.random.default_rng(4).standard_normal((2, 64)).astype(np.float32)
    prompt: dict[str, Any] = {"text": "a <two> cat", "host": "diffusers", "model": "sdxl", "embeddings": {"<two>": vectors}}
    got = conditioning(encoders={"clip-l": encoder, "clip-g": encoder}, **prompt)

    embedding = model.get_input_embeddings()
    table = torch.cat([embedding.weight.detach(), torch.from_numpy(vectors)])
    ids = torch.tensor([analyze(**prompt).usage.encoders[1].chunks[0].ids])
    assert ids.max() == 49409
    model.set_input_embeddings(torch.nn.Embedding.from_pretrained(table))
    with torch.no_grad():
        want = model(ids, output_hidden_states=True)
    np.testing.assert_allclose(got.hidden[:, 64:], want.hidden_states[-2][0].numpy(), atol=2e-5)
    assert got.pooled is not None
    np.testing.assert_allclose(got.pooled, want.text_embeds[0].numpy(), atol=2e-5)
