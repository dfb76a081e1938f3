"""What helpers of `check --jobs` tell one another, so that no two of them find out the same."""

from __future__ import annotations

from typing import Any

import pytest

from promptlens import screening
from promptlens.checking import _crew, _helper
from promptlens.checking._entries import Plan
from promptlens.checking._worker import Worker
from promptlens.job import Job
from promptlens.screening import Screen

PLAN = Plan(Job("a1111", "sd15"))


def asked(worker: Worker, number: int, *lines: str, news: tuple[bytes, ...] = ()) -> tuple[Any, bytes]:
    return worker.answer(("lines", number, PLAN, "lines", "\n".join(lines).encode()), news)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that a screen looks at."""
    texts: list[str] = []
    original = Screen.passes

    def passes(self: Screen, text: str) -> bool:
        texts.append(text)
        return original(self, text)

    monkeypatch.setattr(Screen, "passes", passes)
    return texts


def test_what_one_has_found_out_the_other_knows(looked_at: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Worker(), Worker()
    first, news = asked(one, 0, "a cat", "a (dog", "a bird")
    assert (first.lines, first.clean, [line.text for line in first.left]) == (3, 2, ["a (dog"])
    looked_at.clear()
    second, back = asked(two, 0, "a bird", "a cat", "a dog", news=(news,))
    assert (second.lines, second.clean, second.left) == (3, 3, [])
    assert looked_at == ["a dog"]
    looked_at.clear()
    assert asked(one, 0, "a dog", "a cat", news=(back,)) == (second._replace(lines=2, chars=11, clean=2), b"")
    assert looked_at == []


def test_the_tokens_of_words_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Worker(), Worker()
    _, news = asked(one, 0, "a verdigris cathedral")
    monkeypatch.setattr(screening.WordTokens, "__missing__", lambda self, word: pytest.fail(f"{word} was not told"))
    assert asked(two, 0, "verdigris cathedral", "a cathedral", news=(news,))[0].clean == 2


def test_news_of_a_plan_that_is_not_known_are_left(looked_at: list[str]) -> None:
    one, two = Worker(), Worker()
    _, news = asked(one, 5, "a cat")
    looked_at.clear()
    assert asked(two, 0, "a cat", news=(news,))[0].clean == 1
    assert looked_at == ["a cat"]


def test_what_is_learnt_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "CACHED_WORDS", 10)
    screen = Job("a1111", "sd15").screen()
    assert screen is not None
    words = screen.words
    assert screen.passes("one two three four five six")
    assert words.news() == {"one": 1, "two": 1, "three": 1, "four": 1, "five": 1, "six": 1}
    assert words.news() == {}
    assert screen.passes("seven eight")
    words.learn({"nine": 1, "ten": 1})
    assert (len(words), words.news()) == (10, {})
    words.learn({"eleven": 1})
    assert dict(words) == {"eleven": 1}
    assert screen.passes("one two")
    assert words.news() == {"one": 1, "two": 1}


def test_each_hears_what_the_others_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_crew, "KEPT_NEWS", 3)
    sent: list[tuple[int, list[bytes]]] = []

    class Telling(_helper.Helper):
        def __init__(self) -> None:
            self.plans: set[int] = set()
            self.number = len(made)
            self.times = 0
            made.append(self)

        def send(self, request: Any) -> None:
            sent.append((self.number, request[1]))

        def receive(self) -> Any:
            self.times += 1
            return None, b"%d-%d" % (self.number, self.times)

        def kill(self) -> None:
            pass

        def close(self) -> None:
            pass

    made: list[Telling] = []
    monkeypatch.setattr(_crew, "can_fork", lambda: False)
    monkeypatch.setattr(_helper, "started_anew", Telling)
    monkeypatch.setattr(_helper, "answering", lambda helpers, *, wait: helpers[:1] if wait else ())
    crew = _crew.Crew(2, lambda plans: Worker())
    assert len(list(crew.answered((n, PLAN, ("files", 0, [])) for n in range(6)))) == 6
    told: dict[int, list[bytes]] = {0: [], 1: []}
    for number, news in sent:
        told[number] += news
    assert told == {0: [b"1-1"], 1: [b"0-1", b"0-2"]}  # the rest came when nothing was asked any more
    crew.close()
