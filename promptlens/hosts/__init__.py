"""Hosts: the programs that turn a prompt into the windows a text encoder reads.

Each host is one file of this folder with a module-level `HOST`; `HOSTS` is made by walking the folder. A host is two halves: `parse` turns
a prompt into lines of weighted fragments, `pack` cuts the tokens of a line into chunks for one encoder. What both share is here: the
types and window building; the stream of tokens between the two halves is in streams.py. No host imports another.
"""

from __future__ import annotations

import importlib
import pkgutil
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from promptlens.errors import PluginError, UnknownNameError
from promptlens.models import CLIP_FAMILIES, Encoder, Model
from promptlens.quick import quick_maker
from promptlens.spans import Span
from promptlens.streams import Fragment as Fragment
from promptlens.streams import FragmentKind as FragmentKind
from promptlens.streams import Stream as Stream
from promptlens.streams import ones as ones
from promptlens.tokens import Token

# Why a chunk ended. "end": the text did; "full": no room for the next token; "comma": the words after the last comma moved on;
# "break": the prompt says so; "group": the next group moved on whole; "sentence": at its last full stop; "vectors": an embedding
# did not fit; "text": one of several texts the host encodes apart.
Cut = Literal["end", "full", "comma", "break", "group", "sentence", "vectors", "text"]


@dataclass(frozen=True, slots=True)
class Fix:
    """An embedding inside a chunk: its vectors replace the ids from content offset `offset` on (0 is the first after BOS)."""

    offset: int
    name: str
    vectors: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """One window as the host sends it.

    `ids` and `weights` are as long as the window (77 for CLIP, unless the host differs), BOS, EOS and padding included. `cut` says why
    it ended. `start` and `stop` are the places of its tokens in the line's stream. `lead` counts the slots before them: BOS, which T5
    has not, and in kohya's windows an end token in the place of a lost one.
    """

    ids: tuple[int, ...]
    weights: tuple[float, ...] = field(repr=False)
    cut: Cut
    start: int
    stop: int
    stream: Stream = field(repr=False, compare=False)
    fixes: tuple[Fix, ...] = ()
    lead: int = 1

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens of the prompt in this chunk, with their spans."""
        return self.stream.tokens[self.start : self.stop]

    @property
    def used(self) -> int:
        """Number of tokens of the prompt in this chunk."""
        return self.stop - self.start

    @property
    def padding(self) -> int:
        """Slots after EOS."""
        return max(len(self.ids) - self.lead - 1 - self.used, 0)


@dataclass(frozen=True, slots=True)
class EncoderUse:
    """What one encoder gets of a line: its chunks, the tokens that never reach it, and the number the host shows.

    `shown_count` is None where the host shows none. `removed_text` is what the host itself prints of the loss, if it does. `unknown` says
    why nothing is known of what the encoder gets, and the way out: its vocabulary is not here. Then there are no chunks.
    """

    encoder: Encoder
    chunks: tuple[Chunk, ...]
    lost_places: tuple[tuple[int, int], ...] = ()
    shown_count: int | None = None
    stream: Stream | None = field(default=None, repr=False, compare=False)
    removed_text: str | None = None
    unknown: str = ""

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens of the line, lost ones included."""
        return self.stream.tokens if self.stream else ()

    def place(self, n: int) -> Span:
        """Where token number `n` of the line is in the prompt, lost ones included. Raises `IndexError` where there are no tokens."""
        if self.stream is None:
            raise IndexError(f"{self.encoder.name} has no token {n}")
        return self.stream.place(n)

    def tokens_before(self, at: int) -> int:
        """Number of tokens of the line that begin before a place in the prompt."""
        return bisect_left(range(len(self.stream or ())), at, key=lambda n: self.place(n).start)

    @property
    def lost(self) -> tuple[Token, ...]:
        """Tokens that never reach the encoder."""
        if not self.lost_places:
            return ()
        return tuple(t for start, stop in self.lost_places for t in self.tokens[start:stop])

    @property
    def lost_count(self) -> int:
        """Number of tokens that never reach the encoder."""
        return sum(stop - start for start, stop in self.lost_places)

    @property
    def used(self) -> int:
        """Tokens that reach the encoder, over all chunks."""
        return sum(c.stop - c.start for c in self.chunks)

    @property
    def capacity(self) -> int:
        """Tokens that its chunks could hold."""
        return self.encoder.capacity * len(self.chunks)

    @property
    def free(self) -> int:
        """Places after the last token; those that earlier chunks left empty are gone (see `wasted`)."""
        return sum(max(self.encoder.capacity - c.used, 0) for c in self.chunks[self._last :])

    @property
    def wasted(self) -> int:
        """Places left empty in chunks before the one with the last token."""
        return sum(max(self.encoder.capacity - c.used, 0) for c in self.chunks[: self._last])

    @property
    def _last(self) -> int:
        """Index of the last chunk that holds a token."""
        return next((n for n in reversed(range(len(self.chunks))) if self.chunks[n].used), 0)


@dataclass(frozen=True, slots=True)
class Mix:
    """How a text goes together with the others of its part.

    kind  "blend": a weighted mean of the members; "original" and "replacement": the two sides of a swap, the first of which is encoded
          as usual while the second only steers
    """

    kind: Literal["blend", "original", "replacement"]
    weight: float = 1.0
    normalize: bool = True


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """One text that the host encodes on its own.

    `part` counts the texts that are used together (A1111's `AND`), `weight` is the part's composition weight, `steps` the sampling
    steps it is used for, as inclusive (first, last) ranges counted from 1 (empty: all of them). `label` says which text it is where
    that is not plain from the rest. `counted` is False for texts beside the one that counts: further members of a blend, the
    replacement of a swap.
    """

    text: str
    fragments: tuple[Fragment, ...]
    part: int = 0
    weight: float = 1.0
    steps: tuple[tuple[int, int], ...] = ()
    label: str = ""
    mix: Mix | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Parsed:
    """A prompt as the host's parser sees it; `removed` are the pieces it takes out before encoding (comments, extra networks).

    `joined`: the host sends the chunks of all counted lines in turn. `failure`: the host reads the prompt, and fails on it afterwards.
    """

    lines: tuple[ParsedLine, ...]
    removed: tuple[Fragment, ...] = ()
    joined: bool = False
    failure: HostFailure | None = None


class HostFailure(Exception):
    """The host itself fails on this prompt. `error` is the class it raises; the message says why in plain words."""

    def __init__(self, error: str, message: str, span: Span) -> None:
        super().__init__(message)
        self.error = error
        self.span = span


@dataclass(frozen=True, slots=True)
class Host:
    """A program that turns prompts into windows.

    parse      (text, options) -> Parsed; may raise `HostFailure`
    pack       (line, encoder, model, options) -> EncoderUse
    options    frozen dataclass of the host's settings, with its defaults
    reference  project, version and file the behaviour was read from or observed in
    observed   compared with what the host itself produced; False where its code and documents were only read
    families   of `Model.family`: what it runs
    plain      options -> a regex, None where nothing is known of it: printable ASCII without white space around it, of which no word has a
               match of it, is read as one text of weight 1, as it stands, with nothing taken out; where it fits, it is in the first chunk
               of each CLIP encoder and nothing of it is lost ("": any such text is). Most prompts need not be looked at closer for that
    counter    it shows its user a count of tokens beside the prompt; elsewhere `shown_count` is what its tokenizer counts
    """

    name: str
    title: str
    parse: Callable[[str, Any], Parsed]
    pack: Callable[[ParsedLine, Encoder, Model, Any], EncoderUse]
    options: type[Any]
    reference: str
    summary: str
    syntax: frozenset[str] = frozenset()
    observed: bool = True
    families: frozenset[str] = CLIP_FAMILIES
    counter: bool = False
    plain: Callable[[Any], str | None] | None = None


# For what every prompt makes; the same objects as the classes make.
new_fragment = quick_maker(Fragment)
new_line = quick_maker(ParsedLine)
new_parsed = quick_maker(Parsed)
new_use = quick_maker(EncoderUse)
_new_chunk = quick_maker(Chunk)


@lru_cache(maxsize=64)
def _padding(pad: int, count: int) -> tuple[int, ...]:
    return (pad,) * count


def window(content: list[int], encoder: Encoder, pad: int | None = None) -> tuple[int, ...]:
    """BOS, the content, EOS, and padding up to the window.

    >>> from promptlens.models import ENCODERS
    >>> window([320, 2368], ENCODERS["clip-l"])[:5]
    (49406, 320, 2368, 49407, 49407)
    """
    return (encoder.start, *content, encoder.eos, *_padding(encoder.pad if pad is None else pad, encoder.window - 2 - len(content)))


def make_chunk(
    stream: Stream, start: int, stop: int, encoder: Encoder, cut: Cut, *, pad: int | None = None, fixes: tuple[Fix, ...] = ()
) -> Chunk:
    """The chunk of stream places `start` to `stop`, with BOS, EOS and padding of weight 1."""
    content = stream.ids if start == 0 and stop == len(stream.ids) else stream.ids[start:stop]
    ids = window(content, encoder, pad)
    weighted = stream.weights
    weights = ones(len(ids)) if weighted is None else (1.0, *weighted[start:stop], *ones(len(ids) - 1 - len(content)))
    return _new_chunk(ids, weights, cut, start, stop, stream, fixes)


def hosts_for(model: Model) -> list[str]:
    """Names of the hosts that run a model."""
    return [name for name, host in HOSTS.items() if model.family in host.families]


class Hosts(Mapping[str, Host]):
    """The table of hosts: ours, and those of other packages (_plugins.py), which are looked for when a name is none of ours or when hosts
    are listed. A row is imported when it is first looked up; an unknown name gets a helpful error."""

    def __init__(self) -> None:
        self.built_in = tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))
        self._rows: dict[str, Host] = {}
        self._plugins: Any = None

    def __getitem__(self, name: str) -> Host:
        row = self._rows.get(name)
        if row is None:
            ours = name in self.built_in
            row = self._rows[name] = importlib.import_module(f"{__name__}.{name}").HOST if ours else self._plugin(name)
        return row

    def _plugin(self, name: str) -> Host:
        """The host of another package. Raises `PluginError` for one that does not work, `UnknownNameError` for one that is not there."""
        plugins = self._found()
        if name in plugins.problems:
            raise PluginError(plugins.problems[name])
        if name not in plugins.hosts:
            raise UnknownNameError("host", name, tuple(self))
        host: Host = plugins.hosts[name]
        return host

    def _found(self) -> Any:
        if self._plugins is None:
            from promptlens.hosts._plugins import Plugins  # which imports Host from here

            self._plugins = Plugins(self.built_in)
        return self._plugins

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for each host of another package that cannot be used."""
        return tuple(self._found().problems.values())

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self._found().hosts

    def __iter__(self) -> Iterator[str]:
        return iter(sorted([*self.built_in, *self._found().hosts]))

    def __len__(self) -> int:
        return len(self.built_in) + len(self._found().hosts)


HOSTS = Hosts()
