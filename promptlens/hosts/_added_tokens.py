"""Tokens added to a Hugging Face tokenizer for textual inversions, as diffusers adds and expands them.

An embedding of n vectors is n tokens `name`, `name_1`, ... `name_{n-1}` with ids after the vocabulary's; a token that the vocabulary
already holds keeps its id. The pipeline replaces each name that it finds among the prompt's tokens by all of its tokens, everywhere in the
text, also inside words and inside longer names. Observed in diffusers 0.42.1, loaders/textual_inversion.py (`maybe_convert_prompt`); where
one name is part of another the pipeline's order is that of a Python set, here it is the longer name first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from promptlens.cleaning import clean
from promptlens.hosts import Fragment
from promptlens.spans import Origin, Run
from promptlens.tokens import Tokenizer
from promptlens.vocab import SIZE


class AddedTokens:
    """The added tokens of a set of embeddings, for one tokenizer."""

    def __init__(self, embeddings: Mapping[str, int], tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.names = {name: [name, *(f"{name}_{n}" for n in range(1, vectors))] for name, vectors in embeddings.items()}
        self.ids: dict[str, int] = {}
        next_id = SIZE
        for tokens in self.names.values():
            for token in tokens:
                known = tokenizer.vocabulary.find(token)
                self.ids[token] = next_id if known is None else known
                next_id += known is None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Any added token in cleaned text, the longest first; blanks in a name match any white space."""
        by_length = sorted(self.ids, key=len, reverse=True)
        return re.compile("|".join(r"\s+".join(map(re.escape, token.lower().split())) for token in by_length))

    @cached_property
    def _by_cleaned(self) -> dict[str, str]:
        return {" ".join(token.lower().split()): token for token in reversed(self.ids)}

    def fragments(self, text: str) -> Iterator[tuple[Fragment, int | None]]:
        """The prompt with its names written out, in pieces: text (id None) and added tokens."""
        expanded, origin = self._expanded(text)
        at = 0
        for start, end, token in self._found(expanded):
            if at < start:
                yield Fragment(expanded[at:start], origin=origin.slice(at, start)), None
            yield Fragment(token, kind="embedding", origin=_whole(token, origin, start, end), vectors=1), self.ids[token]
            at = end
        if at < len(expanded):
            yield Fragment(expanded[at:], origin=origin.slice(at, len(expanded))), None

    def _found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Added tokens in a text, whatever their case, with their places."""
        cleaned = clean(text, self.tokenizer.reading.cleaning)
        for match in self._pattern.finditer(cleaned.text):
            start, end = cleaned.origin.range(*match.span())
            yield start, end, self._by_cleaned[" ".join(match.group().split())]

    def _expanded(self, text: str) -> tuple[str, Origin]:
        """The text with each name that is among its tokens replaced, letter for letter, by all tokens of the embedding."""
        present = {token for _, _, token in self._found(text)}
        origin = Origin.identity(len(text))
        for name in sorted(present & self.names.keys(), key=len, reverse=True):
            full = " ".join(self.names[name])
            runs: list[Run] = []
            out: list[str] = []
            at = done = 0
            for match in re.finditer(re.escape(name), text):
                between = text[done : match.start()]
                runs += [Run(at, at + len(between), done, match.start())] if between else []
                at += len(between)
                runs.append(Run(at, at + len(full), *match.span()))
                out += [between, full]
                at, done = at + len(full), match.end()
            runs += [Run(at, at + len(text) - done, done, len(text))] if done < len(text) else []
            out.append(text[done:])
            text, origin = "".join(out), Origin(runs).through(origin)
        return text, origin

    def decode(self, ids: Sequence[int]) -> str:
        """What the host prints of ids: an added token has no blank after it."""
        tokens = {token_id: token for token, token_id in self.ids.items() if token_id >= SIZE}
        out = ""
        plain: list[int] = []
        for token_id in ids:
            if token_id in tokens:
                out += self._decode_plain(plain) + tokens[token_id]
                plain = []
            else:
                plain.append(token_id)
        return (out + self._decode_plain(plain)).strip()

    def _decode_plain(self, ids: list[int]) -> str:
        if not ids:
            return ""
        vocabulary = self.tokenizer.vocabulary
        return vocabulary.decode(ids) + (" " if vocabulary.piece(ids[-1]).endswith("</w>") else "")


def _whole(token: str, origin: Origin, start: int, end: int) -> Origin:
    """Origin of an added token: all its letters come from the same place."""
    return Origin((Run(0, len(token), *origin.range(start, end)),))
