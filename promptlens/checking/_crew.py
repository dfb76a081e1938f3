"""Helper processes that share the work of a large run, each asked for one thing at a time; answers come in the order of the questions.

They are this Python and this package (copies of this process where that is safe), end when their pipe closes, whatever ends this process,
and are out of reach of the terminal's Ctrl-C. One that fails or ends is no harm: what it was asked for is then done here, where its error
shows.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from promptlens.checking._entries import Plan
from promptlens.forked import can_fork
from promptlens.terminal import talk
from promptlens.vocab import load as load_vocabulary

if TYPE_CHECKING:
    from promptlens.checking._helper import Helper
    from promptlens.checking._worker import Worker

Tag = TypeVar("Tag")
Request = tuple[Any, ...]

# Questions that are made and not yet done with, for each helper: one it is at, one that waits for it, and one that waits for an older one.
AHEAD = 3
# So many of the news of helpers are kept for those that are at something: more than can come while one answers.
KEPT_NEWS = 64


class Enough(NamedTuple):
    """What is worth starting helpers for: files, or bytes of files."""

    files: int
    bytes: int


# A copy of this process is there in a millisecond; any other has to load everything, which takes a quarter of a second.
FOR_COPIES = Enough(1_000, 512 * 1024)
FOR_OTHERS = Enough(20_000, 8 * 1024 * 1024)


class Question(Generic[Tag]):
    """A request, what it is about, and its answer once it is `settled`: None where there was no request, or nobody to answer it."""

    __slots__ = ("answer", "plan", "request", "settled", "tag")

    def __init__(self, tag: Tag, plan: Plan | None, request: Request | None) -> None:
        self.tag = tag
        self.plan = plan
        self.request = request
        self.answer: Any = None
        self.settled = request is None


class Crew:
    """Helpers, started when they are first asked. `worker` does in a copy of this process what helpers are asked for."""

    def __init__(self, size: int, worker: Callable[[dict[int, Plan]], Worker]) -> None:
        self._size = self._wanted = size
        self._worker = worker
        self._helpers: list[Helper] = []
        self._at: dict[Helper, Question[Any]] = {}  # those asked first come first
        self._waiting: deque[Question[Any]] = deque()
        self._plans: list[Plan] = []
        self._news: deque[tuple[Helper, bytes]] = deque(maxlen=KEPT_NEWS)
        self._told = 0  # news in all
        self._frozen = False  # whether the collector leaves out what was there when copies were made
        self.over = size < 2

    @property
    def enough(self) -> Enough:
        """What helpers are worth starting for; for those that are there anything is enough."""
        return Enough(1, 1) if self._helpers else FOR_COPIES if can_fork() else FOR_OTHERS

    def number(self, plan: Plan) -> int:
        """What a plan is called in requests; those of a run are few, and files of one folder have the same."""
        known = next((n for n, other in enumerate(self._plans) if other is plan or other == plan), None)
        if known is None:
            known = len(self._plans)
            self._plans.append(plan)
        return known

    def most(self, size: int) -> Crew:
        """The crew, of which no more are started than are of use; those that are there stay."""
        self._wanted = max(min(self._size, size), 2, len(self._helpers))
        return self

    def answered(self, asked: Iterable[tuple[Tag, Plan | None, Request | None]]) -> Iterator[tuple[Tag, Any]]:
        """Each tag with the answer to its request (kind, plan's number, ...), in order: None where there was none, or nobody to answer it.

        Questions are taken ahead of the answers, up to one without a request: that is given before more are taken. Who takes the answers
        may ask something else meanwhile.
        """
        ahead, taken = iter(asked), deque[Question[Tag]]()
        more = True
        while more or taken:
            if more and len(taken) < AHEAD * self._wanted and (not taken or taken[-1].request is not None):
                found = next(ahead, None)
                more = found is not None
                if found is not None:
                    taken.append(self._put(Question(*found)))
            elif taken[0].settled:
                question = taken.popleft()
                yield question.tag, question.answer
            else:
                self._hear(wait=True)

    def close(self) -> None:
        """End all helpers, at once: what each has in memory takes a while to be given back."""
        for helper in self._helpers:
            helper.kill()
        for helper in self._helpers:
            helper.close()
        if self._frozen:
            gc.unfreeze()
        self._frozen = False
        self._helpers = []
        self._at = {}

    def _put(self, question: Question[Tag]) -> Question[Tag]:
        """Have a question answered, as soon as somebody is free."""
        if question.request is not None:
            self._waiting.append(question)
            self._hear(wait=False)
        return question

    def _hear(self, *, wait: bool) -> None:
        """Take the answers that are there, or wait for one, and give who is free something to do."""
        if self._at:
            from promptlens.checking._helper import answering

            for helper in answering([*self._at], wait=wait):
                self._take(helper)
        for helper in self._started():
            if self._waiting and helper not in self._at:
                self._ask(helper, self._waiting.popleft())
        if self.over:
            self._settle_all()

    def _take(self, helper: Helper) -> None:
        """The answer of a helper that has one."""
        from promptlens.checking._helper import GONE

        try:
            answer = helper.receive()
        except GONE:
            self._give_up(helper.why_gone())
            return
        question = self._at.pop(helper)
        (question.answer, news), question.settled = answer, True
        if news:
            self._news.append((helper, news))
            self._told += 1

    def _ask(self, helper: Helper, question: Question[Any]) -> None:
        from promptlens.checking._helper import GONE, NOT_SENT

        assert question.request is not None
        assert question.plan is not None
        self._at[helper] = question
        kind, number, *rest = question.request
        plan = None if number in helper.plans else bare(question.plan)
        try:
            helper.send(((kind, number, plan, *rest), self._news_for(helper)))
        except GONE:
            self._give_up(helper.why_gone())
        except NOT_SENT as error:
            self._give_up(f"the settings cannot be sent to a helper process ({error})")
        else:
            helper.plans.add(number)

    def _news_for(self, helper: Helper) -> list[bytes]:
        """What others told since this one last heard of it."""
        missed, helper.heard = self._told - helper.heard, self._told
        return [news for teller, news in islice(self._news, max(len(self._news) - missed, 0), None) if teller is not helper]

    def _started(self) -> list[Helper]:
        if len(self._helpers) < self._wanted and not self.over and self._waiting:
            from promptlens.checking import _helper  # pipes and processes, 15 ms: only for large runs

            try:
                while len(self._helpers) < self._wanted:
                    self._helpers.append(self._copy() if can_fork() else _helper.started_anew())
            except OSError as error:
                self._give_up(f"no helper process can be started ({error.strerror or error})")
        return [] if self.over else self._helpers

    def _copy(self) -> Helper:
        """One more helper that is a copy of this process, and knows what it knows."""
        from promptlens.checking import _helper

        load_vocabulary("clip").find("")  # a table that each would make for itself: 10 ms
        self._frozen = True
        gc.freeze()  # looking through what is there already would copy it, here as well as there
        known = {number: bare(plan) for number, plan in enumerate(self._plans)}
        return _helper.forked(partial(self._worker, known), known, self._helpers)

    def _give_up(self, why: str) -> None:
        if not self.over:
            self.over = True
            talk("note", f"{why}; the rest is checked without any.")

    def _settle_all(self) -> None:
        """Leave to who asked what was not answered."""
        for question in (*self._waiting, *self._at.values()):
            question.settled = True
        self._waiting.clear()
        self.close()


def bare(plan: Plan) -> Plan:
    """The plan as helpers have it: they show no progress, and do not know the styles of files that others read."""
    names = None if plan.names is None else plan.names.elsewhere()
    return replace(plan, read=replace(plan.read, progress=None), names=names)
