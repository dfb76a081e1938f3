"""The command palette: everything the screen can do, as `noun: Verb`, each with its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from promptlens.hosts import HOSTS
from promptlens.models import MODELS
from promptlens.tui.inspect import TABS
from promptlens.tui.key_names import key_of, with_keys
from promptlens.tui.listing import Listing
from promptlens.tui.pinning import NOTHING_PINNED

if TYPE_CHECKING:
    from promptlens.tui.app import PromptLensApp

# (name, what it does, the action, the id of its binding if it has one)
ACTIONS = (
    ("Prompt: Go to the next finding", "Select the words of the next finding behind the cursor", "screen.next_finding", "finding.next"),
    ("Prompt: Fix this finding", "Make the edit of the finding that is chosen or under the cursor", "screen.apply_fix", "finding.fix"),
    ("Prompt: Copy", "Copy the whole prompt", "app.copy_prompt", ""),
    (
        "Prompt: Open or close the negative prompt",
        "Write the negative prompt in an editor of its own",
        "screen.negative",
        "negative.toggle",
    ),
    ("File: Open…", "Open any file that PromptLens reads", "app.open_file", "file.open"),
    ("File: Import from an image…", "Take the prompts out of a picture", "app.import_image", ""),
    ("File: Open a recent one, or another prompt of this file", "List them", "screen.show_files", ""),
    ("File: Save", "Write the prompt back where it came from", "screen.save", "file.save"),
    ("File: Save as…", "Write the prompt into a text file of its own", "app.save_as", ""),
    ("Compare: Pin as A", "Pin the prompt as it is, to compare with", "screen.pin", "compare.pin"),
    ("Model: Choose…", "List the models with their text encoders", "screen.choose_model", "model.choose"),
    ("Host: Choose…", "List the hosts and what each does with a long prompt", "screen.choose_host", "host.choose"),
    ("Settings: Open", "Model, host and its options, folders, clip skip, theme; and save them", "app.settings", "settings.open"),
    ("View: Export as SVG…", "Write what is on the screen as a picture", "app.export_svg", ""),
    ("View: Copy as text", "Copy the table in view, with its header", "app.copy_view", ""),
    ("View: Full screen", "Give the whole screen to the pane in use, or take it back", "screen.full_screen", "pane.full_screen"),
    ("View: Compact", "Leave out borders and blank columns, or bring them back", "app.compact", "app.compact"),
    ("View: Jump", "Letters over the panes; one key goes there", "app.jump", "app.jump"),
    ("App: Help", "What the pane in use shows, and its keys", "app.help", "app.help"),
    ("App: Quit", "Leave; what is not saved is asked about", "app.quit", "app.quit"),
)


@dataclass(frozen=True, slots=True)
class Command:
    """One entry."""

    name: str
    help: str
    run: Callable[[], Any]


def commands(app: PromptLensApp) -> Iterator[Command]:
    """Every entry, in the order in which they are listed."""
    for name, said, action, binding in ACTIONS:
        key = key_of(app, binding) if binding else ""
        yield Command(name, f"{said} ({key})" if key else said, partial(app.run_action, action, app.screen))
    yield from _panes(app)
    for model in MODELS.values():
        yield Command(f"Model: {model.name.upper()}", model.title, partial(app.main.use_job, replace(app.main.job, model=model.name)))
    for host in HOSTS.values():
        yield Command(f"Host: {host.title}", host.summary, partial(app.main.use_host, host.name))
    for theme in app.available_themes.values():
        if "ansi" not in theme.name:  # their colours are the terminal's, which nothing can be blended with
            yield Command(f"Theme: {theme.name}", "dark" if theme.dark else "light", partial(app.choose_theme, theme.name))


def _panes(app: PromptLensApp) -> Iterator[Command]:
    """Going to each pane, and what each can do besides."""
    inspect = app.main.inspect
    for name, title, _ in TABS:
        key = key_of(app, f"{name}.show")
        said = f"Bring {title} to the front" + (f" ({key})" if key else "")
        yield Command(f"View: {title}", said, partial(inspect.show_tab, name))
    for name, title, _ in TABS:
        pane = inspect.panes[name]
        for widget in (pane, *(w for w in pane.walk_children() if not isinstance(w, Listing))):
            for binding in (b for made in type(widget).__mro__ for b in vars(made).get("BINDINGS", ())):
                if isinstance(binding, Binding) and binding.id and binding.description:
                    run = partial(_in_pane, app, name, binding.action, widget)
                    yield Command(f"{title}: {binding.description}", f"In the {title} pane ({key_of(widget, binding.id)})", run)


async def _in_pane(app: PromptLensApp, name: str, action: str, widget: Any) -> None:
    app.main.inspect.show_tab(name)
    if not await app.run_action(action, widget):
        said = NOTHING_PINNED if name == "compare" else "There is nothing to do this with now."
        app.main.notify(with_keys(app.main, said), markup=False)


class Commands(Provider):
    """Gives the entries to Textual's palette."""

    @property
    def _all(self) -> Iterator[Command]:
        return commands(cast("PromptLensApp", self.app))

    async def discover(self) -> Hits:
        for command in self._all:
            yield DiscoveryHit(command.name, command.run, help=command.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._all:
            score = matcher.match(command.name)
            if score > 0:
                yield Hit(score, matcher.highlight(command.name), command.run, text=command.name, help=command.help)
