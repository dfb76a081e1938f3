"""What a tokenizer build does to text before it looks for words, with every character traced back to where it came from.

Four builds are in use (docs/hosts.md says which host has which):

    slow-ftfy   transformers' Python tokenizer with ftfy installed: ftfy.fix_text, lower case
    slow        the same without ftfy: control characters removed, CJK ideographs set apart, NFC, lower case
    fast        transformers' Rust tokenizer: NFC, lower case
    open_clip   open_clip's tokenizer: ftfy.fix_text, HTML entities undone twice, lower case

Each is a row of `CLEANINGS`. White space is left as it is: words are split at it afterwards. Finding words is left to tokens.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from promptlens.spans import Origin, Run

# Past this many characters a changed stretch is mapped as a whole instead of being compared letter by letter (which is quadratic).
MAX_COMPARED = 1000

_PLAIN = re.compile(r"[\t\n\r -%'-~]*")  # printable ASCII without "&": no build changes anything but its case
_SIGMA = "\u03a3"  # the only letter whose small one depends on its neighbours
_WORD_OR_SPACE = re.compile(r"\s+|\S+")
_FTFY_ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,24};")
_ENTITY = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")


class Cleaned(NamedTuple):
    """Text after cleaning, and the origin of its characters in the text before."""

    text: str
    origin: Origin


Step = Callable[[str], Cleaned]


def is_plain(text: str) -> bool:
    """True when no cleaning changes the text but for the case of its letters."""
    return _PLAIN.fullmatch(text) is not None


def unchanged(text: str) -> Cleaned:
    return Cleaned(text, Origin.identity(len(text)))


def chain(text: str, *steps: Step) -> Cleaned:
    """The steps applied in turn, origins composed."""
    done = unchanged(text)
    for step in steps:
        new = step(done.text)
        same = new.origin.is_identity and len(new.text) == len(done.text)
        done = Cleaned(new.text, done.origin if same else new.origin.through(done.origin))
    return done


def by_pieces(pieces: Iterator[tuple[str, str]]) -> Cleaned:
    """Pieces given as (before, after), each mapped as a whole unless unchanged or as long as before."""
    out: list[str] = []
    parts: list[Run] = []
    at = start = 0
    for before, after in pieces:
        if after:
            out.append(after)
            parts.append(Run(at, at + len(after), start, start + len(before)))
        at += len(after)
        start += len(before)
    return Cleaned("".join(out), Origin(_merged(parts)))


def _merged(runs: list[Run]) -> Iterator[Run]:
    """Neighbouring character-by-character runs joined into one."""
    last: Run | None = None
    for run in runs:
        if last and last.upto == run.at and last.end == run.start and _by_character(last) and _by_character(run):
            last = Run(last.at, run.upto, last.start, run.end)
            continue
        if last:
            yield last
        last = run
    if last:
        yield last


def _by_character(run: Run) -> bool:
    return run.upto - run.at == run.end - run.start


def lower(text: str) -> Cleaned:
    """`str.lower` of the whole text (a final sigma depends on its neighbours)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return Cleaned(lowered, Origin.identity(len(text)))
    sizes = [len(c.lower()) for c in text]
    if sum(sizes) != len(lowered):
        return compared(text, lowered)
    ends, at = [], 0
    for size in sizes:
        at += size
        ends.append(at)
    return by_pieces((c, lowered[end - size : end]) for c, size, end in zip(text, sizes, ends, strict=True))


def lower_each(text: str) -> Cleaned:
    """Each character on its own, as the Rust tokenizer does: sigma never becomes a final sigma."""
    lowered = text.lower()
    if len(lowered) == len(text) and _SIGMA not in text:
        return Cleaned(lowered, Origin.identity(len(text)))
    return by_pieces((c, c.lower()) for c in text)


def nfc(text: str) -> Cleaned:
    """Unicode normalisation form C, mapped per combining sequence."""
    if unicodedata.is_normalized("NFC", text):
        return unchanged(text)
    done = by_pieces((s, unicodedata.normalize("NFC", s)) for s in _combining_sequences(text))
    whole = unicodedata.normalize("NFC", text)
    return done if done.text == whole else compared(text, whole)


def _combining_sequences(text: str) -> Iterator[str]:
    """Stretches that normalise independently of each other."""
    start = 0
    for i in range(1, len(text)):
        char = text[i]
        if unicodedata.combining(char):
            continue
        before = text[start:i]
        both = unicodedata.normalize("NFC", before + char)
        if both == unicodedata.normalize("NFC", before) + unicodedata.normalize("NFC", char):
            yield before
            start = i
    yield text[start:]


def without_controls(text: str) -> Cleaned:
    """NUL, U+FFFD and category C* removed but for tab and newlines; every blank an ASCII one (BasicTokenizer)."""
    kept = _without_controls_text(text)
    if len(kept) == len(text):
        return Cleaned(kept, Origin.identity(len(text)))
    return by_pieces((c, _kept(c)) for c in text)


def _without_controls_text(text: str) -> str:
    # What is printable to Python is of no category C and no blank but the ASCII one.
    return text if text.isprintable() and "\ufffd" not in text else "".join(map(_kept, text))


def _kept(char: str) -> str:
    if char in "\t\n\r ":
        return " "
    category = unicodedata.category(char)
    if category[0] == "C" or char == "\ufffd":
        return ""
    return " " if category == "Zs" else char


# CJK unified and compatibility ideographs, as BERT's BasicTokenizer lists them.
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


@lru_cache(maxsize=1)
def _ideograph() -> re.Pattern[str]:
    """One of them; compiled when first asked for (2 ms)."""
    return re.compile("[" + "".join(f"{chr(a)}-{chr(b)}" for a, b in _IDEOGRAPHS) + "]")


def spaced_ideographs(text: str) -> Cleaned:
    """A blank on both sides of every CJK ideograph."""
    if text.isascii() or not _ideograph().search(text):
        return unchanged(text)
    runs: list[Run] = []
    out: list[str] = []
    at = start = 0
    for piece in _around(_ideograph(), text):
        end, around = start + len(piece), 1 if _ideograph().match(piece) else 0
        runs.append(Run(at + around, at + around + len(piece), start, end))
        out.append(f" {piece} " if around else piece)
        at, start = at + len(out[-1]), end
    return Cleaned("".join(out), Origin(runs))


def _spaced_text(text: str) -> str:
    return _ideograph().sub(lambda match: f" {match.group()} ", text)


def unescaped(text: str) -> Cleaned:
    """`html.unescape` once, each character reference mapped as a whole."""
    if "&" not in text:
        return unchanged(text)
    import html  # its table of entities: only for a text that may hold one

    done = by_pieces(_unescaped_pieces(text))
    whole = html.unescape(text)
    return done if done.text == whole else compared(text, whole)


def _unescaped_pieces(text: str) -> Iterator[tuple[str, str]]:
    """Text before and after: what lies between references, each reference, and the rest of a name that only begins with one (`&notit;`)."""
    import html

    for piece in _around(_ENTITY, text):
        after = html.unescape(piece)
        kept = _common_tail(piece, after)
        if 0 < kept < len(after):
            yield piece[:-kept], after[:-kept]
            yield piece[-kept:], after[-kept:]
        else:
            yield piece, after


def _around(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """The text in pieces: the matches of a pattern and what lies between them."""
    at = 0
    for match in pattern.finditer(text):
        if at < match.start():
            yield text[at : match.start()]
        yield match.group()
        at = match.end()
    if at < len(text):
        yield text[at:]


def _common_tail(before: str, after: str) -> int:
    """Number of last characters that both texts share."""
    tail = 0
    while tail < min(len(before), len(after)) and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return tail


def fixed(text: str) -> Cleaned:
    """`ftfy.fix_text`: mojibake, entities, quotes, ligatures, full-width letters, control characters, NFC."""
    whole = fix_text(text)
    if whole == text or _one_for_one().fullmatch(text):
        return Cleaned(whole, Origin.identity(len(text)))
    pieces: list[str] = []
    for plain, group in groupby(_WORD_OR_SPACE.findall(text), is_plain):
        words = [*group]
        pieces += ["".join(words)] if plain else words
    parts = [unchanged(p) if is_plain(p) else _fixed_word(p) for p in pieces]
    if "".join(p.text for p in parts) == whole:
        return Cleaned(whole, _joined(pieces, parts))
    return compared(text, whole)


def _fixed_word(word: str) -> Cleaned:
    """`ftfy.fix_text` of one word, its entities mapped as wholes."""
    whole = fix_text(word)
    pieces = list(_around(_FTFY_ENTITY, word))
    parts = [compared(p, fix_text(p)) if len(pieces) > 1 else compared(p, whole) for p in pieces]
    if "".join(p.text for p in parts) == whole:
        return Cleaned(whole, _joined(pieces, parts))
    return compared(word, whole)


def _joined(pieces: list[str], parts: list[Cleaned]) -> Origin:
    runs: list[Run] = []
    at = start = 0
    for before, part in zip(pieces, parts, strict=True):
        runs += [Run(r.at + at, r.upto + at, r.start + start, r.end + start) for r in part.origin.runs]
        at, start = at + len(part.text), start + len(before)
    return Origin(_merged(runs))


def compared(before: str, after: str) -> Cleaned:
    """Origin of a rewrite that says nothing about itself, by comparing both texts.

    Equal stretches map character by character, changed ones as a whole. Entities of the text before are never cut.
    """
    if before == after:
        return unchanged(after)
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = _common_tail(before[head:], after[head:])
    middle = (head, len(before) - tail), (head, len(after) - tail)
    runs = [Run(0, head, 0, head)] if head else []
    (a, b), (c, d) = middle
    if d > c and max(b - a, d - c) <= MAX_COMPARED and not set(before[a:b]).isdisjoint(after[c:d]):
        from difflib import SequenceMatcher

        runs += [
            Run(c + at, c + upto, a + start, a + end)
            for tag, start, end, at, upto in SequenceMatcher(None, before[a:b], after[c:d], autojunk=False).get_opcodes()
            if tag != "delete"
        ]
    elif d > c:
        runs.append(Run(c, d, a, b))
    if tail:
        runs.append(Run(len(after) - tail, len(after), len(before) - tail, len(before)))
    placed = [_not_empty(run, len(before)) for run in runs]
    return Cleaned(after, Origin(_whole_entities(before, after, placed)))


def _not_empty(run: Run, length: int) -> Run:
    """A run of inserted text, given the character beside it as its source."""
    if run.end > run.start or not length:
        return run
    start = max(run.start - 1, 0)
    return Run(run.at, run.upto, start, start + 1)


def _whole_entities(before: str, after: str, runs: list[Run]) -> list[Run]:
    """Runs widened so that what came from within a rewritten character reference comes from all of it."""
    for match in _FTFY_ENTITY.finditer(before):
        start, end = match.span()
        inside = [r for r in _split_at(runs, start, end) if r.start >= start and r.end <= end and r.end > r.start]
        if not inside:
            continue
        at, upto = inside[0].at, inside[-1].upto
        if after[at:upto] == match.group():
            continue
        runs = [r for r in _split_at(runs, start, end) if r not in inside]
        runs = sorted([*runs, Run(at, upto, start, end)], key=lambda r: r.at)
    return runs


def _split_at(runs: list[Run], *places: int) -> list[Run]:
    """The runs with character-by-character ones cut at the given source places."""
    for place in places:
        cut: list[Run] = []
        for r in runs:
            if r.start < place < r.end and r.upto - r.at == r.end - r.start:
                n = place - r.start
                cut += [Run(r.at, r.at + n, r.start, place), Run(r.at + n, r.upto, place, r.end)]
            else:
                cut.append(r)
        runs = cut
    return runs


class Cleaning(NamedTuple):
    """Row of `CLEANINGS`: the build's text alone, and the steps that make the same text with its origin (ten times the work)."""

    text: Callable[[str], str]
    steps: tuple[Step, ...]


# ftfy takes 0.1 ms for a prompt, and both encoders of SDXL ask for the same one.
_FIXED: dict[str, str] = {}
FIXED_TEXTS = 1024
FIXED_LENGTH = 4096


_SIGNS = dict(zip(map(ord, "‘’“”"), "''\"\"", strict=True)) | {wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}


@lru_cache(maxsize=1)
def _one_for_one() -> re.Pattern[str]:
    """Text of which ftfy makes signs of ASCII out of the curly and the full-width ones, and nothing else; compiled when first asked for.

    Nothing in it can be taken for a wrong encoding (ftfy/badness.py), nothing composes, and no reference to a character is in it ("＆"
    would begin one).
    """
    return re.compile(
        "[\t\n -%'-~\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u3001\u3002\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3"
        "\uff01-\uff05\uff07-\uff5e\u200d\ufe0f\U0001f300-\U0001faff]*|[\t\n -%'-~\u00e0-\u00f6\u00f8-\u00fdąćčęěłńňřśšťůźżž]*"
    )


def fix_text(text: str) -> str:
    """`ftfy.fix_text`, the last texts remembered."""
    if is_plain(text):
        return text
    if _one_for_one().fullmatch(text):
        return text.translate(_SIGNS)
    found = _FIXED.get(text)
    if found is None:
        import ftfy  # 30 ms: only for a text that it could change

        found = ftfy.fix_text(text)
        if len(text) <= FIXED_LENGTH:
            if len(_FIXED) >= FIXED_TEXTS:
                _FIXED.clear()
            _FIXED[text] = found
    return found


def _slow_ftfy_text(text: str) -> str:
    return fix_text(text).lower()


def _slow_text(text: str) -> str:
    return unicodedata.normalize("NFC", _spaced_text(_without_controls_text(text))).lower()


def _fast_text(text: str) -> str:
    normal = unicodedata.normalize("NFC", text)
    return "".join(c.lower() for c in normal) if _SIGMA in normal else normal.lower()


def _open_clip_text(text: str) -> str:
    import html

    return html.unescape(html.unescape(fix_text(text))).lower()


CLEANINGS: dict[str, Cleaning] = {
    "slow-ftfy": Cleaning(_slow_ftfy_text, (fixed, lower)),
    "slow": Cleaning(_slow_text, (without_controls, spaced_ideographs, nfc, lower)),
    "fast": Cleaning(_fast_text, (nfc, lower_each)),
    "open_clip": Cleaning(_open_clip_text, (fixed, unescaped, unescaped, lower)),
}


def clean(text: str, cleaning: str) -> Cleaned:
    """The text as the build named `cleaning` sees it, with its origin.

    >>> clean("R&amp;D", "slow-ftfy").text
    'r&d'
    """
    if is_plain(text):
        return Cleaned(text.lower(), Origin.identity(len(text)))
    return chain(_encodable(text), *CLEANINGS[cleaning].steps)


def clean_text(text: str, cleaning: str) -> str:
    """`clean(text, cleaning).text`, without tracing it."""
    return text.lower() if is_plain(text) else CLEANINGS[cleaning].text(_encodable(text))


def _encodable(text: str) -> str:
    """The text with lone surrogates, which no tokenizer can take, as "?"."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text
