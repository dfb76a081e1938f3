"""Quick constructors make the same objects as the classes."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from promptlens.quick import quick_maker


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    size: int = 3
    colour: str | None = field(default=None, repr=False, compare=False)


make = quick_maker(Part)


@pytest.mark.parametrize(
    ("quick", "usual"),
    [
        pytest.param(make("a"), Part("a"), id="defaults"),
        pytest.param(make("a", 4, "red"), Part("a", 4, "red"), id="by position"),
        pytest.param(make(colour="red", name="a"), Part(colour="red", name="a"), id="by name"),
    ],
)
def test_the_object_is_the_one_the_class_makes(quick: Part, usual: Part) -> None:
    assert type(quick) is Part
    assert (quick, hash(quick), repr(quick), quick.colour) == (usual, hash(usual), repr(usual), usual.colour)
    assert replace(quick, size=9) == replace(usual, size=9)


def test_the_object_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        make("a").name = "b"  # type: ignore[misc]


def test_wrong_arguments_are_refused_as_by_any_function() -> None:
    with pytest.raises(TypeError, match="name"):
        make()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="weight"):
        make("a", weight=1)  # type: ignore[call-arg]


@dataclass(frozen=True)
class WithoutSlots:
    name: str


@dataclass(frozen=True, slots=True)
class Checked:
    name: str

    def __post_init__(self) -> None:
        raise ValueError(self.name)


@dataclass(frozen=True, slots=True)
class WithFactory:
    name: str
    parts: list[str] = field(default_factory=list)


class NotADataclass:
    __slots__ = ("name",)


@pytest.mark.parametrize("cls", [WithoutSlots, Checked, WithFactory, NotADataclass])
def test_a_class_it_cannot_build_is_refused_at_once(cls: type[object]) -> None:
    with pytest.raises(TypeError, match=cls.__name__):
        quick_maker(cls)
