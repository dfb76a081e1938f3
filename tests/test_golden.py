"""Every host equals what the real host produced: ids, weights, and the count it shows."""

from __future__ import annotations

import itertools

import pytest
from golden_data import FILES, analyzed, difference, real, recordings, synthetic

NAMES = recordings()
SLICES = 4  # so that the lines of a host are shared out over the test workers


def host_of(name: str) -> str:
    return FILES.get(name, name)


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("name", NAMES)
def test_synthetic_prompts(name: str, part: int) -> None:
    rows = list(itertools.islice(synthetic(name), part, None, SLICES))
    assert rows
    differences = [f"{row['id']} {row['options']}: {why}"[:500] for row in rows if (why := difference(row, host_of(name)))]
    assert differences == []


@pytest.mark.shared
@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("name", NAMES)
def test_real_prompts(name: str, part: int) -> None:
    rows = list(itertools.islice(real(name), part, None, SLICES))
    if not rows:
        pytest.skip("no recordings of real prompts here")
    differences = [f"{row['id']} {row['options']}: {why}"[:500] for row in rows if (why := difference(row, host_of(name)))]
    assert differences == []


@pytest.mark.parametrize("name", ["a1111", "a1111_openclip"])
def test_negative_prompt_box_counts_without_splitting_at_and(name: str) -> None:
    rows = [r for r in synthetic(name) if isinstance(r.get("counter_negative"), list)]
    assert len(rows) > 500
    wrong = [r["id"] for r in rows if analyzed(r, "a1111", negative=True).usage.encoders[0].shown_count != r["counter_negative"][0]]
    assert wrong == []


@pytest.mark.parametrize("name", ["a1111", "a1111_openclip"])
def test_embeddings_are_written_where_the_host_writes_them(name: str) -> None:
    """Also the host's mistake: after a comma backtrack the vectors stay behind in the old chunk."""
    rows = [r for r in synthetic(name) if r.get("fixes")]
    assert len(rows) > 20
    for row in rows:
        got = [[[f.offset, f.name, f.vectors] for f in chunk.fixes] for chunk in analyzed(row, "a1111").usage.encoders[0].chunks]
        assert got == row["fixes"], row["id"]


def test_diffusers_names_the_removed_text() -> None:
    rows = [r for r in synthetic("diffusers") if r.get("removed_text")]
    assert len(rows) > 100
    for row in rows:
        removed = [str([use.removed_text]) for use in analyzed(row, "diffusers").usage.encoders if use.removed_text is not None]
        assert removed == row["removed_text"], row["id"]
