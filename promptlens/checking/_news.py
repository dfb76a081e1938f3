"""What helpers tell one another: words and texts take long to find out about, and little time to pass on."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping

from promptlens.checking._entries import Plan
from promptlens.checking._screens import Screens
from promptlens.sources import FORMATS

News = dict[str, tuple[dict[str, int], list[str]]]  # by the name of a format: tokens of words, and texts in which nothing is found


def told(screens: Screens, plan: Plan, number: int) -> bytes:
    """What came up since this was last asked, for others to hear; nothing if nothing did."""
    asked = ((name, sieve.news()) for name, sieve in screens.sieves(plan))
    news: News = {name: (words, texts) for name, (words, texts) in asked if words or texts}
    return pickle.dumps((number, news), pickle.HIGHEST_PROTOCOL) if news else b""


def heard(screens: Screens, plans: Mapping[int, Plan], news: Iterable[bytes]) -> None:
    """Learn what others told; nothing of a plan that is not known here."""
    for part in news:
        number, found = pickle.loads(part)
        for name, (words, texts) in found.items() if number in plans else ():
            sieve = screens.sieve(plans[number], FORMATS[name])
            if sieve is not None:
                sieve.learn(words, texts)
