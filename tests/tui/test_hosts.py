"""The Hosts pane: one prompt in every host."""

from __future__ import annotations

import pytest
from driving import drive, told, until
from textual.pilot import Pilot

from promptlens import analyze
from promptlens.comparing import HostView, across_hosts
from promptlens.hosts import HOSTS
from promptlens.render._runs import plain
from promptlens.spans import cell_width
from promptlens.tui import hosts_pane
from promptlens.tui.app import PromptLensApp
from promptlens.tui.host_rows import detail_rows, head_row, host_entries, host_rows
from promptlens.tui.hosts_pane import HostsPane

LONG = "a very red cat, " * 30
ODD = "[red] 日本の庭, 👩🏽‍🚀 \x1b[31m (cat:1.2), " * 12


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a pause in the typing."""
    monkeypatch.setattr(hosts_pane, "PAUSE_S", 0)


def views_of(text: str, model: str = "sdxl") -> tuple[HostView, ...]:
    return across_hosts(text, HOSTS, lambda text, host: analyze(text, host, model))


def pane_of(app: PromptLensApp) -> HostsPane:
    pane = app.main.inspect.panes["hosts"]
    assert isinstance(pane, HostsPane)
    return pane


async def read(app: PromptLensApp, pilot: Pilot[None]) -> None:
    """Wait until every host was asked about the report on screen, and what they said is shown."""
    await until(pilot, lambda: pane_of(app).read_for is app.main.report and pane_of(app).listing.entries)


def prompt_read(pane: HostsPane) -> str | None:
    return pane.read_for.usage.prompt if pane.read_for is not None else None


def hosts_in_use(pane: HostsPane) -> list[str]:
    """The hosts that the table marks."""
    return [entry.value.view.host for entry in pane.listing.entries if entry.cells[0].text]


def test_numbers_are_those_of_the_analysis() -> None:
    rows = host_rows(views_of(LONG))
    entries = host_entries(rows, "a1111")
    assert [entry.value.view.host for entry in entries if entry.value.first] == list(HOSTS)
    for entry in entries:
        row = entry.value
        use = row.uses[0]
        assert [run.text for run in entry.cells[2:5]] == [f"{use.used + use.lost_count}", entry.cells[3].text, f"{use.lost_count}"]
        assert entry.cells[3].text.startswith(f"{len(use.chunks)}: {use.chunks[0].used}")


def test_hosts_that_cut_alike_share_a_way() -> None:
    ways = {row.view.host: row.way for row in host_rows(views_of(LONG)) if row.first}
    assert ways["a1111"] == ways["forge"]
    assert ways["a1111"] != ways["diffusers"]


def test_hosts_that_do_not_take_the_model_are_named_last() -> None:
    entries = host_entries(host_rows(views_of(LONG, "flux")), "comfyui")
    refused = [entry for entry in entries if entry.value.view.report is None]
    assert refused == entries[-len(refused) :]
    assert {entry.value.view.host for entry in refused} >= {"a1111", "fooocus"}
    assert all("does not take this model" in entry.text for entry in refused)


@pytest.mark.parametrize("text", [LONG, ODD, "a cat", "", ","])
@pytest.mark.parametrize("width", [40, 76, 150])
def test_every_line_fits_and_steers_no_terminal(text: str, width: int) -> None:
    rows = host_rows(views_of(text))
    lines = [plain(line) for row in rows for line in detail_rows(row, rows, width)]
    lines += [plain(line) for line in head_row(rows, analyze("").usage.model, width)]
    assert all(cell_width(line) <= width for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_the_cut_is_shown_between_the_words_around_it() -> None:
    rows = host_rows(views_of(f"{'red, ' * 37}dog, yellow umbrella"))
    comfy = next(row for row in rows if row.view.host == "comfyui")
    assert "2┃" in host_entries(rows, "")[list(HOSTS).index("comfyui")].text
    assert "┃2┃" in "".join(map(plain, detail_rows(comfy, rows, 76)))


def test_enter_switches_to_the_host() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.show_tab("hosts")
        await read(app, pilot)
        pane = pane_of(app)
        assert hosts_in_use(pane) == ["a1111"]
        await until(pilot, lambda: pane.listing.has_focus)
        pane.listing.cursor = next(n for n, e in enumerate(pane.listing.entries) if e.value.view.host == "diffusers")
        await pilot.press("enter")
        await until(pilot, lambda: app.main.job.host == "diffusers" and hosts_in_use(pane) == ["diffusers"])

    drive(act, LONG)


def test_a_host_that_does_not_take_the_model_is_not_switched_to() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.show_tab("hosts")
        await read(app, pilot)
        await until(pilot, lambda: pane_of(app).listing.has_focus)
        refusal = pane_of(app).listing.entries[-1].value.view.refusal
        await pilot.press("end", "enter")
        await told(app, pilot, refusal)
        assert app.main.job.host == "comfyui"

    drive(act, LONG, host="comfyui", model="flux")


def test_what_is_typed_meanwhile_is_what_is_shown() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.active = "hosts"
        await read(app, pilot)
        await until(pilot, lambda: app.main.positive.has_focus)
        await pilot.press("end", *" dog")
        await until(pilot, lambda: prompt_read(pane_of(app)) == "a cat dog")

    drive(act, "a cat")


def test_hidden_it_asks_no_host() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await pilot.press(*"red")
        await until(pilot, lambda: app.main.report is not None and app.main.report.usage.prompt == "reda cat")
        await pilot.pause()
        assert pane_of(app).rows == ()

    drive(act, "a cat")


def test_another_model_is_read_in_the_hosts_that_run_it() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.active = "hosts"
        await read(app, pilot)
        app.main.use_job(app.main.job.for_line({"model": "sd15"}))
        await until(pilot, lambda: {row.usage.model.name for row in pane_of(app).rows if row.usage is not None} == {"sd15"})
        assert {len(row.uses) for row in pane_of(app).rows} == {1}

    drive(act, "a cat")
