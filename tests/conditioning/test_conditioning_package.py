"""The package as such: what it imports, how it grows, and recipes of several prompts encoded together."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from fake_encoder import sdxl

import promptlens.conditionings
from promptlens import HOSTS, conditioning
from promptlens.conditionings import CONDITIONERS, encode_asks, make_recipe

FOLDER = Path(promptlens.conditionings.__file__).parent


def test_importing_it_brings_no_torch() -> None:
    code = """
import sys, promptlens, promptlens.conditionings as package
promptlens.conditioning, [package.CONDITIONERS[name] for name in package.CONDITIONERS]
print(*[m for m in ("torch", "transformers", "safetensors", "rich", "textual") if m in sys.modules])
"""
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "\n"


def test_every_row_is_a_host_and_says_where_it_is_from() -> None:
    assert list(CONDITIONERS) == sorted(p.stem for p in FOLDER.glob("[!_]*.py"))
    assert set(CONDITIONERS) <= set(HOSTS)
    assert all(CONDITIONERS[name].reference for name in CONDITIONERS)


def test_options_of_the_tensor_are_none_of_the_windows() -> None:
    """Both come by keyword, so no name may mean two things."""
    reserved = {"text", "host", "model", "encoders", "clip_skip", "until_step", "part"}
    for name in CONDITIONERS:
        windows, tensor = set(HOSTS[name].options.__dataclass_fields__), set(CONDITIONERS[name].options.__dataclass_fields__)
        assert not windows & tensor
        assert not reserved & (windows | tensor)


def test_no_row_imports_another() -> None:
    for path in FOLDER.glob("[!_]*.py"):
        found = {node.module for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)}
        assert not found & {f"promptlens.conditionings.{name}" for name in CONDITIONERS}, path.name


def test_recipes_of_several_prompts_are_encoded_in_one_call() -> None:
    encoders = sdxl()
    texts = ["a (cat:1.2)", "a dog BREAK a", "a dog"]
    recipes = [make_recipe(text, "a1111", encoders=encoders) for text in texts]
    answers = encode_asks([ask for recipe in recipes for ask in recipe.asks], encoders)
    assert [encoder.calls for encoder in encoders.values()] == [[3], [3]]  # "a dog" is there twice, and its first chunk too
    for text, recipe in zip(texts, recipes, strict=True):
        got, want = recipe.finish(answers), conditioning(text, "a1111", encoders=sdxl())
        np.testing.assert_array_equal(got.hidden, want.hidden)
        np.testing.assert_array_equal(got.pooled, want.pooled)
