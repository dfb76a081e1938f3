"""Hosts: the programs that turn a prompt into the windows a text encoder reads.

Each host is one file of this folder with a module-level `HOST`; `HOSTS` is made by walking the folder. A host is two halves: `parse` turns
a prompt into lines of weighted fragments, `pack` cuts the tokens of a line into chunks for one encoder. What both share is here: the
types, the stream of tokens between the two halves, and window building. No host imports another.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from promptlens.errors import PluginError, UnknownNameError
from promptlens.models import CLIP_FAMILIES, Encoder, Model
from promptlens.quick import quick_maker
from promptlens.spans import Origin, Span
from promptlens.tokens import Piece, ReadsText, Token

# What hosts take out: "network", "comment", "missing" (an embedding that is not there), "ignored" (text they never read).
FragmentKind = Literal["text", "break", "embedding", "network", "comment", "missing", "ignored"]

# Why a chunk ended. "end": the text did; "full": no room for the next token; "comma": the words after the last comma moved on;
# "break": the prompt says so; "group": the next group moved on whole; "sentence": at its last full stop; "vectors": an embedding
# did not fit; "text": one of several texts the host encodes apart.
Cut = Literal["end", "full", "comma", "break", "group", "sentence", "vectors", "text"]


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of the prompt with one weight, tokenised on its own.

    `origin` maps the text back to the prompt (None: it *is* the prompt from its first character). `vectors` counts the places a
    textual-inversion embedding takes.
    """

    text: str
    weight: float = 1.0
    kind: FragmentKind = "text"
    origin: Origin | None = field(default=None, repr=False)
    vectors: int = 0

    @property
    def span(self) -> Span:
        """Where the fragment is in the prompt, syntax around it left out."""
        if self.origin is None:
            return Span(0, len(self.text))
        return self.origin.span(0, len(self.text))

    def place(self, at: int, upto: int) -> Span:
        """Where `text[at:upto]` is in the prompt."""
        return _new_span(at, upto) if self.origin is None else _new_span(*self.origin.range(at, upto))


_new_token = quick_maker(Token)
_new_span = quick_maker(Span)
_new_place: Any = tuple.__new__


class Place(NamedTuple):
    """Where a token is: `[start, end)` of the prompt, the number of its word, and its id or how its embedding is shown."""

    start: int
    end: int
    word: int
    what: int | str


class _StreamRun(NamedTuple):
    """Places of a stream that come from one fragment: `places` pieces from `first` on, or the vectors of an embedding made of pieces."""

    fragment: Fragment
    first: int
    places: int
    pieces: int
    name: str | None


class Stream:
    """The tokens of one line for one encoder, in order, before they are cut into chunks.

    `ids` are what goes into the windows. `weights` is None while every weight is 1. Tokens with spans are made when asked for.
    """

    __slots__ = ("_places", "_runs", "_tokens", "ids", "tokenizer", "weights")

    def __init__(self, tokenizer: ReadsText) -> None:
        self.tokenizer = tokenizer
        self.ids: list[int] = []
        self.weights: list[float] | None = None
        self._runs: list[_StreamRun] = []
        self._places: tuple[Place, ...] | None = None
        self._tokens: tuple[Token, ...] | None = None

    @classmethod
    def of(cls, tokenizer: ReadsText, fragment: Fragment, ids: list[int]) -> Stream:
        """The stream of a line that is one text fragment with these ids."""
        stream = cls(tokenizer)
        stream.ids = ids
        if fragment.weight != 1.0:
            stream.weights = [fragment.weight] * len(ids)
        stream._runs.append(_StreamRun(fragment, 0, len(ids), len(ids), None))
        return stream

    @classmethod
    def join(cls, streams: Sequence[Stream]) -> Stream:
        """The tokens of several streams of one tokenizer, one after the other."""
        joined = cls(streams[0].tokenizer)
        joined.ids = [i for stream in streams for i in stream.ids]
        if any(stream.weights is not None for stream in streams):
            joined.weights = [w for stream in streams for w in stream.weights or ones(len(stream))]
        joined._runs = [run for stream in streams for run in stream._runs]
        return joined

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, fragment: Fragment) -> None:
        """Append all tokens of a text fragment."""
        ids = self.tokenizer.encode(fragment.text)
        self.extend(fragment, ids, 0)

    def extend(self, fragment: Fragment, ids: list[int], first: int) -> None:
        """Append tokens of a fragment; the first is piece number `first` of it."""
        count = len(ids)
        if not count:
            return
        self._weigh(fragment.weight, count)
        if self.ids:
            self.ids += ids
        else:
            self.ids = ids
        self._runs.append(_StreamRun(fragment, first, count, count, None))

    def add_vectors(self, fragment: Fragment, name: str, vectors: int, place_id: int, first: int = 0, pieces: int = 0) -> None:
        """Append the places of an embedding, made of `pieces` pieces of the fragment from `first` on (none: of all its text)."""
        self._weigh(fragment.weight, vectors)
        self.ids += [place_id] * vectors
        self._runs.append(_StreamRun(fragment, first, vectors, pieces, name))

    def _weigh(self, weight: float, count: int) -> None:
        if self.weights is not None:
            self.weights += [weight] * count
        elif weight != 1.0:
            self.weights = [1.0] * len(self.ids)
            self.weights += [weight] * count

    @property
    def places(self) -> Sequence[Place]:
        """Where every token is in the prompt: what `tokens` is made of, in a fifth of its time."""
        if self._places is None:
            self._places = tuple(self._placed())
        return self._places

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token with its span in the prompt."""
        if not self.ids:
            return ()  # without a word the vocabulary need not be loaded
        if self._tokens is None:
            weights = ones(len(self)) if self.weights is None else self.weights
            piece = self.tokenizer.vocabulary.piece
            self._tokens = tuple(
                _new_token(token_id, what if isinstance(what, str) else piece(what), _new_span(start, end), weight, word)
                for token_id, weight, (start, end, word, what) in zip(self.ids, weights, self.places, strict=True)
            )
        return self._tokens

    def _placed(self) -> Iterator[Place]:
        words, last = 0, -1
        fragment: Fragment | None = None
        pieces: list[Piece] = []
        low = high = 0  # no token begins or ends before the one that it follows
        for run in self._runs:
            if run.fragment is not fragment:
                fragment = run.fragment
                pieces = self.tokenizer.pieces(fragment.text)
                words = last + 1
            place = _placer(fragment)
            for n in range(run.places):
                what: int | str
                if run.name is None:
                    what, at, upto, word = pieces[run.first + n]
                    start, end = place(at, upto) if place else (at, upto)
                    word += words
                else:
                    start, end, word = self._embedding_place(run, pieces, words)
                    what = f"<{run.name} {n + 1}/{run.places}>"
                last = max(last, word)
                if start < low:
                    start = low
                if end < high:
                    end = high
                low, high = start, end
                yield _new_place(Place, (start, end, last, what))

    def _embedding_place(self, run: _StreamRun, pieces: list[Piece], words: int) -> tuple[int, int, int]:
        if not run.pieces or not pieces:
            span = run.fragment.span
            return span.start, span.end, words
        first, last = pieces[run.first], pieces[run.first + run.pieces - 1]
        span = run.fragment.place(first.start, last.end)
        return span.start, span.end, words + first.word


def _placer(fragment: Fragment) -> Callable[[int, int], tuple[int, int]] | None:
    """What gives the places in the prompt of those in a fragment; None where they are the same."""
    origin = fragment.origin
    return None if origin is None or (origin.is_identity and origin.runs) else origin.range


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
    def places(self) -> Sequence[Place]:
        """Where the tokens of this chunk are."""
        return self.stream.places[self.start : self.stop]

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

    @property
    def places(self) -> Sequence[Place]:
        """Where all tokens of the line are, lost ones included."""
        return self.stream.places if self.stream else ()

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


@lru_cache(maxsize=1024)
def ones(count: int) -> tuple[float, ...]:
    """That many weights of 1."""
    return (1.0,) * count


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
