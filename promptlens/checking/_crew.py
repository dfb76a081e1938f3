"""Helper processes that share the work of a large run, each asked for one thing at a time; answers come in the order of the questions.

They are this Python and this package, end when their pipe closes, whatever ends this process, and are out of reach of the terminal's
Ctrl-C. One that fails or ends is no harm: what it was asked for is then done here, where its error shows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from promptlens.checking._entries import Plan
from promptlens.terminal import talk

if TYPE_CHECKING:
    from promptlens.checking._helper import Helper

Tag = TypeVar("Tag")
Request = tuple[Any, ...]


class Crew:
    """Helpers, started when they are first asked."""

    def __init__(self, size: int) -> None:
        self._size = self._wanted = size
        self._helpers: list[Helper] = []
        self._plans: dict[int, tuple[Plan, int]] = {}  # by their ids; a plan is kept, so that no other has its id
        self.over = size < 2

    def number(self, plan: Plan) -> int:
        """What a plan is called in requests."""
        return self._plans.setdefault(id(plan), (plan, len(self._plans)))[1]

    def most(self, size: int) -> Crew:
        """The crew, of which no more are started than are of use."""
        self._wanted = max(min(self._size, size), 2)
        return self

    def answered(self, asked: Iterable[tuple[Tag, Plan | None, Request | None]]) -> Iterator[tuple[Tag, Any]]:
        """Each tag with the answer to its request, in order: None where there was no request, or nobody to answer it.

        There is one question more under way than was answered for each helper; what comes without a request is given before more is taken.
        """
        waiting: deque[tuple[Tag, Helper | None]] = deque()
        free: deque[Helper] = deque()
        for tag, plan, request in asked:
            if request is None or plan is None or not (helpers := self._started()):
                while waiting:
                    yield self._taken(waiting, free)
                yield tag, None
                continue
            if not waiting:
                free = deque(helpers)  # nobody else asks them meanwhile
            done = None if free else self._taken(waiting, free)
            helper = free.popleft() if free else None
            waiting.append((tag, helper if helper is not None and self._ask(helper, plan, request) else None))
            if done is not None:
                yield done
        while waiting:
            yield self._taken(waiting, free)

    def _taken(self, waiting: deque[tuple[Tag, Helper | None]], free: deque[Helper]) -> tuple[Tag, Any]:
        """The answer to what was asked first; who gave it is free."""
        tag, helper = waiting.popleft()
        if helper is None:
            return tag, None
        answer = self._answer(helper)
        free.append(helper)
        return tag, answer

    def close(self) -> None:
        """End all helpers."""
        for helper in self._helpers:
            helper.close()
        self._helpers = []

    def _started(self) -> list[Helper]:
        if len(self._helpers) < self._wanted and not self.over:
            from promptlens.checking._helper import Helper  # pipes and processes, 15 ms: only for large runs

            try:
                while len(self._helpers) < self._wanted:
                    self._helpers.append(Helper())
            except OSError as error:
                self._give_up(f"no helper process can be started ({error.strerror or error})")
        return [] if self.over else self._helpers[: self._wanted]

    def _ask(self, helper: Helper, plan: Plan, request: Request) -> bool:
        """Whether a helper has been asked."""
        if self.over:
            return False
        from promptlens.checking._helper import GONE, NOT_SENT

        number = self.number(plan)
        try:
            if number not in helper.plans:
                bare = replace(plan, read=replace(plan.read, progress=None))
                helper.send(("plan", number, bare))
                helper.receive()
                helper.plans.add(number)
            helper.send(request)
        except GONE:
            self._give_up(helper.why_gone())
            return False
        except NOT_SENT as error:
            self._give_up(f"the settings cannot be sent to a helper process ({error})")
            return False
        return True

    def _answer(self, helper: Helper) -> Any:
        from promptlens.checking._helper import GONE

        if self.over:
            return None
        try:
            return helper.receive()
        except GONE:
            self._give_up(helper.why_gone())
            return None

    def _give_up(self, why: str) -> None:
        self.over = True
        talk("note", f"{why}; the rest is checked without any.")
