"""The products of a layer: laid out for oneDNN or plain, they give the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("torch")

import torch

from promptlens.encoder import products
from promptlens.encoder.products import ACTIVATIONS, Affine, added_product, feed_forward, product

pytestmark = pytest.mark.encoder


@pytest.fixture(autouse=True)
def _tried_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(products, "_TRIED", {})
    with torch.inference_mode():
        yield


def affine(rows: int, columns: int, seed: int) -> Affine:
    numbers = torch.randn(rows, columns + 1, generator=torch.Generator().manual_seed(seed))
    return Affine(numbers[:, :-1] / columns**0.5, numbers[:, -1].clone())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rows", [1, 5, 77])
def test_what_is_laid_out_equals_the_plain_product(monkeypatch: pytest.MonkeyPatch, activation: str, rows: int) -> None:
    inner, outer, square = affine(128, 32, 1), affine(32, 128, 2), affine(32, 32, 3)
    x, onto = torch.randn(2, rows, 32, generator=torch.Generator().manual_seed(4))

    def all_three() -> list[object]:
        return [product(inner)(x), added_product(square)(x, onto.clone()), feed_forward(inner, outer, activation)(x, onto.clone())]

    first = all_three()
    monkeypatch.setattr(products, "_TRIED", {torch.float32: False})
    for laid_out, plain in zip(first, all_three(), strict=True):
        assert torch.allclose(laid_out, plain, rtol=0, atol=1e-5)


def test_a_torch_without_the_operator_computes_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_linear_pointwise'")

    monkeypatch.setattr(products, "_kept", gone)
    inner = affine(64, 32, 1)
    x = torch.ones(3, 32)
    assert torch.equal(product(inner)(x), torch.nn.functional.linear(x, inner.weight, inner.bias))


def test_an_operator_that_computes_something_else_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    right = products._laid_out_adding
    monkeypatch.setattr(products, "_laid_out_adding", lambda affine: lambda x, onto: right(affine)(x, onto) * 1.001)
    assert not products._takes(affine(64, 32, 1))
