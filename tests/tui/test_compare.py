"""The Compare pane: what differs between the pinned prompt and the one being written."""

from __future__ import annotations

import pytest
from driving import drive, until
from textual.pilot import Pilot

from promptlens import analyze
from promptlens.comparing import compare_reports
from promptlens.models import MODELS
from promptlens.render._runs import plain
from promptlens.tui.app import PromptLensApp
from promptlens.tui.compare_pane import ComparePane
from promptlens.tui.compare_rows import change_entries, changed_phrases, detail_rows, head_rows

FILLER = ", ".join(["a red cat on a mat"] * 11)  # 76 tokens with their commas: the last words stand in the second chunk


def pane_of(app: PromptLensApp) -> ComparePane:
    pane = app.main.inspect.panes["compare"]
    assert isinstance(pane, ComparePane)
    return pane


def pinned_text(app: PromptLensApp) -> str | None:
    return app.main.pinned.text if app.main.pinned is not None else None


def head_of(app: PromptLensApp) -> str:
    return str(pane_of(app).head.render())


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("a, b", "a, b, c", [("c", ("added",))], id="one at the end"),
        pytest.param("a, b, c", "a, c", [("b", ("removed",))], id="one taken out"),
        pytest.param("a, b, c", "c, a, b", [("c", ("moved",))], id="one put to the front"),
        pytest.param("a, b, c", "(c:1.2), a, b", [("(c:1.2)", ("moved", "weight"))], id="moved and weighed"),
        pytest.param("a, b", "a, (b:1.3)", [("(b:1.3)", ("weight",))], id="weighed"),
        pytest.param("b, b, a", "a, b", [("b", ("removed",)), ("a", ("moved",))], id="of two that were the same one went"),
        pytest.param("a, b", "a, b", [], id="the same"),
    ],
)
def test_phrases_that_differ(before: str, after: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    changed = changed_phrases(compare_reports(analyze(before, "a1111"), analyze(after, "a1111")))
    found = [((one.after or one.before).text, one.what) for one in changed if one.after or one.before]  # type: ignore[union-attr]
    assert sorted(found) == sorted(expected)


def test_a_phrase_pushed_over_a_boundary_says_both_chunks() -> None:
    before, after = analyze(f"{FILLER[:-20]}, dog", "a1111", "sd15"), analyze(f"{FILLER}, dog", "a1111", "sd15")
    changed = changed_phrases(compare_reports(before, after))
    dog = next(n for n, one in enumerate(changed) if one.after and one.after.text == "dog")
    assert changed[dog].what == ("chunk",)
    assert change_entries(changed)[dog].cells[3].text == "1 → 2"


def test_lost_words_are_counted_for_both() -> None:
    diff = compare_reports(analyze("a cat", "diffusers"), analyze("a very red cat, " * 30, "diffusers"))
    said = "\n".join(map(plain, head_rows(diff, 100)))
    assert "CLIP-L = CLIP-G" in said
    assert "lost 0 → 75 (+75)" in said


def test_an_encoder_whose_vocabulary_is_not_here_is_not_counted() -> None:
    diff = compare_reports(analyze("a cat", "comfyui", "flux"), analyze("a dog, a cat", "comfyui", "flux"))
    said = [plain(row) for row in head_rows(diff, 100)]
    assert any(line.startswith("CLIP-L  used 2 → 5") for line in said)
    assert [line for line in said if "T5" in line] == ["T5-XXL not counted: its vocabulary is not here"]
    assert not any("T5" in plain(row) for one in changed_phrases(diff) for row in detail_rows(one, diff, "x", 100))


def test_without_a_pin_the_pane_says_what_to_press() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.show_tab("compare")
        await until(pilot, lambda: pane_of(app).listing.has_focus)
        assert "Press {compare.pin} to pin" in pane_of(app).listing.hint
        assert not pane_of(app).head.display

    drive(act, "a cat")


def test_what_is_typed_after_f8_is_compared_and_can_be_swapped_back() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.active = "compare"
        await pilot.press("f8", "end", *", red")
        await until(pilot, lambda: [e.text.split("\t")[1] for e in pane_of(app).listing.entries] == ["red"])
        assert "differ by the text" in head_of(app)
        app.main.inspect.show_tab("compare")
        await until(pilot, lambda: pane_of(app).listing.has_focus)
        await pilot.press("x")
        await until(pilot, lambda: app.main.positive.prompt == "a cat" and pinned_text(app) == "a cat, red")
        await pilot.press("escape", "ctrl+z")
        await until(pilot, lambda: app.main.positive.prompt == "a cat, red")

    drive(act, "a cat")


def test_a_pin_stays_in_its_host_until_it_is_asked_over() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.show_tab("compare")
        await until(pilot, lambda: pane_of(app).listing.has_focus)
        await pilot.press("f8")
        app.main.use_host("diffusers")
        await until(pilot, lambda: "differ by the host" in head_of(app))
        assert "lost 0 →" in head_of(app)
        await pilot.press("h")
        await until(pilot, lambda: "the same, still" in head_of(app))

    drive(act, "a very red cat, " * 30)


def test_swapping_takes_the_host_along() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.action_pin()
        app.main.use_host("diffusers")
        app.main.action_swap_pin()
        await until(pilot, lambda: app.main.job.host == "a1111" and app.main.pinned is not None)
        assert app.main.pinned is not None
        assert app.main.pinned.job.host == "diffusers"

    drive(act, "a cat")


def test_a_pin_survives_every_model() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.active = "compare"
        app.main.action_pin()
        app.main.use_host("comfyui")
        for name in MODELS:
            app.main.use_job(app.main.job.for_line({"model": name}))
            await until(pilot, lambda: getattr(pane_of(app).diff, "after", None) is app.main.report)
            diff = pane_of(app).diff
            assert diff is not None
            assert diff.before.usage.model == diff.after.usage.model

    drive(act, "a [red] 👍🏽 cat")


def test_each_editor_has_its_own_pin() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await pilot.press("f8")
        await until(pilot, lambda: pinned_text(app) == "a cat")
        app.main.negative.focus()
        await until(pilot, lambda: app.main.editor is app.main.negative and app.main.pinned is None)
        await pilot.press("f8")
        await until(pilot, lambda: pinned_text(app) == "blurry")
        app.main.action_unpin()
        app.main.positive.focus()
        await until(pilot, lambda: pinned_text(app) == "a cat")

    drive(act, "a cat", "blurry")


def test_while_hidden_nothing_is_compared() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await pilot.press("f8", "x")
        await until(pilot, lambda: app.main.report is not None and app.main.report.usage.prompt == "xa cat")
        await pilot.pause()
        assert pane_of(app).diff is None

    drive(act, "a cat")


def test_swapping_keeps_the_model() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.action_pin()
        app.main.use_host("comfyui")
        app.main.use_job(app.main.job.for_line({"model": "flux"}))
        app.main.positive.replace_all("a dog")
        await until(pilot, lambda: app.main.report is not None and app.main.report.usage.prompt == "a dog")
        app.main.action_swap_pin()
        await until(pilot, lambda: app.main.positive.prompt == "a cat")
        assert (app.main.job.model, app.main.job.host) == ("flux", "comfyui")

    drive(act, "a cat")
