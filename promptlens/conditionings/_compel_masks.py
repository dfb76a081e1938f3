"""Which slots compel hides for a fragment of weight below 1.

It looks for the fragment's ids in the slots of all windows, from where the last fragment ended, and hides from the first to the last of
them what lies between, padding and end tokens too; not a window's first and last slot, unless long prompts are truncated. A fragment that
truncation cuts reaches to the last slot. Source: compel 2.5.1, embeddings_provider.py (`_get_token_ranges_for_fragments`).
"""

from __future__ import annotations

from collections.abc import Sequence

from promptlens.errors import ConditioningError
from promptlens.hosts import EncoderUse, Fragment


def hidden_slots(use: EncoderUse, fragments: Sequence[Fragment], *, truncate: bool) -> list[frozenset[int] | None]:
    """The slots hidden for each fragment, counted through all windows of the text. None for a fragment that has no place.

    With `truncate` fragments past the window's end are left out of the list, as the host leaves them out of the mean.
    """
    assert use.stream is not None
    encoder, slots = use.encoder, [token_id for chunk in use.chunks for token_id in chunk.ids]
    found: list[frozenset[int] | None] = []
    at = 0
    for fragment in fragments:
        wanted = use.stream.tokenizer.encode(fragment.text)
        if not wanted:
            found.append(None)
            continue
        if truncate:
            if at >= encoder.window - 1:
                break
            wanted = wanted[: encoder.capacity]
        skipped = frozenset() if truncate else frozenset({encoder.start, encoder.eos, encoder.pad})
        first, last = _range(slots, wanted, at, skipped, truncate=truncate)
        edges = (-1,) if truncate else (0, encoder.window - 1)
        found.append(frozenset(slot for slot in range(first, last + 1) if slot % encoder.window not in edges))
        at = last + 1
    return found


def _range(slots: Sequence[int], wanted: Sequence[int], at: int, skipped: frozenset[int], *, truncate: bool) -> tuple[int, int]:
    """The first and last slot of a fragment's ids from `at` on; slots that hold an id of `skipped` may lie between. The very last slot is
    never compared.

    >>> _range([9, 1, 2, 0, 9, 3, 0], [2, 3], 0, frozenset({0, 9}), truncate=False)
    (2, 5)
    """
    end = len(slots) - 1
    first = next((slot for slot in range(at, end) if slots[slot] == wanted[0]), end)
    slot, matched = first, 0
    while slot < end:
        if slots[slot] == wanted[matched]:
            matched += 1
            if matched == len(wanted):
                return first, slot
        elif slots[slot] not in skipped:
            break
        slot += 1
    if truncate and slot >= end:
        return first, end
    raise ConditioningError(
        "compel fails on this prompt (RuntimeError): it does not find a weighted fragment's tokens in the windows again."
    )
