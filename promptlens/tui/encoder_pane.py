"""What Influence and Similarity have in common: they ask the child process about the prompt, a moment after the last change.

An answer belongs to the report it was asked for. While the prompt is another one already, the old answer stays, dimmed and labelled; an
answer that comes too late is dropped. A pane that is hidden asks nothing. What goes wrong is said in the pane, with the key that helps.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from promptlens.encoder.windows import CancelledError
from promptlens.errors import PromptLensError
from promptlens.render._runs import Row
from promptlens.report import Report
from promptlens.tui.drawing import text_of
from promptlens.tui.encoder_head import head_rows
from promptlens.tui.encoding import EncoderGoneError, Encoding, Message
from promptlens.tui.key_names import key_in_words, key_of, with_keys
from promptlens.tui.palette import Palette
from promptlens.tui.pane import Pane, in_view
from promptlens.tui.pulling import pull_rows
from promptlens.tui.weights_dialog import choose_pull, choose_weights

# Seconds without a change before the encoder is asked.
CALM_S = 0.35
UNITS = {"word": "tag", "tag": "word"}
WAYS_OUT = "{encoder.weights} chooses weights, or the preview · {encoder.pull} pulls weights · {encoder.restart} tries again"


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """An answer, the question, and the report it was asked about."""

    report: Report
    question: Message
    answer: Message


class EncoderPane(Pane):
    """A pane of the answer to one kind of question. Children say what they ask (`asked`) and show (`show_answer`, `facts`)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "unit", "Words/tags", id="encoder.unit"),
        Binding("w", "weights", "Weights", id="encoder.weights"),
        Binding("p", "pull", "Pull", id="encoder.pull"),
        Binding("x", "stop_pull", "Stop pulling", id="encoder.stop_pull"),
        Binding("r", "restart", "Again", show=False, id="encoder.restart"),
    ]
    KIND: ClassVar[str]
    EMPTY: ClassVar[str]

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(palette, **options)
        self.head = Static(classes="encoder-head", markup=False)
        self.pull_line = Static(classes="encoder-pull", markup=False)
        self.unit = "word"
        self.answered: Answered | None = None
        self.percent: int | None = None
        self.timer: Timer | None = None
        self._look = -1
        self._question: Message | None = None
        self._changing = False
        self._said: tuple[list[Row], Palette] | None = None

    # --- what children say

    @abstractmethod
    def compose_answer(self) -> ComposeResult:
        """The widgets that show an answer."""

    @property
    @abstractmethod
    def target(self) -> Widget:
        """What has the focus in this pane: it shows a hint where there is no answer."""

    @abstractmethod
    def asked(self) -> dict[str, Any]:
        """What is asked beside the prompt."""

    @abstractmethod
    def show_answer(self, answer: Message) -> None:
        """Show it."""

    @abstractmethod
    def show_hint(self, hint: str) -> None:
        """Show no answer but these lines."""

    @abstractmethod
    def facts(self, answer: Message) -> str:
        """What was measured, and with what, in a line."""

    # --- life

    def compose(self) -> ComposeResult:
        yield self.head
        yield from self.compose_answer()
        yield self.pull_line

    def on_mount(self) -> None:
        self.encoding.watchers.append(self.encoding_changed)
        self.pull_line.display = False
        self.show_hint(self.EMPTY)

    def on_unmount(self) -> None:
        self.encoding.watchers.remove(self.encoding_changed)

    def on_hide(self) -> None:
        """Hidden panes do no work."""
        self._stop()

    @property
    def encoding(self) -> Encoding:
        return self.main.app.encoding

    @property
    def stale(self) -> bool:
        """Whether what is shown is of an earlier prompt, or measured otherwise than is asked now."""
        return self.answered is not None and self.answered.question is not self._question

    # --- asking

    def take(self, report: Report | None) -> None:
        self._changing = True
        super().take(report)
        self._changing = False

    def show_report(self, report: Report) -> None:
        self._stop()
        self._shown = report
        self._look = self.encoding.look
        if not report.usage.prompt.strip():
            self._show_nothing(self.EMPTY)
            return
        self._question = question = self.question(report)
        known = self.encoding.known(question)
        if known is not None:
            self._take(report, question, known)
            return
        if self.answered is None:
            self.show_hint("")
        if self._changing:
            self.show_head()
            self.timer = self.set_timer(CALM_S, lambda: self._ask(report, question))
        else:
            self._ask(report, question)

    def question(self, report: Report) -> Message:
        """What is asked about a report."""
        negative = self.main.reports.get(self.main.negative) is report
        return self.encoding.question(self.KIND, report.usage.prompt, self.main.job, negative=negative, **self.asked())

    def _stop(self) -> None:
        """Take back what was asked."""
        self._shown = self._question = self.percent = None
        if self.timer is not None:
            self.timer.stop()
            self.timer = None
        self.workers.cancel_group(self, self.KIND)

    def _ask(self, report: Report, question: Message) -> None:
        self.percent = 0
        self.show_head()
        wait: Callable[[], Awaitable[None]] = partial(self._wait, report, question)  # begun by the worker, if it ever runs
        self.run_worker(wait, group=self.KIND, exclusive=True)

    async def _wait(self, report: Report, question: Message) -> None:
        try:
            answer = await self.encoding.ask(question, self._tell)
        except CancelledError:  # the process was closed: whoever did that asks again
            return
        except EncoderGoneError as e:
            self._fail(question, f"{e}\n\n{{encoder.restart}} starts it again.")
        except PromptLensError as e:
            self._fail(question, f"{e}\n\n{WAYS_OUT}")
        else:
            if question is self._question:  # else the prompt has changed since
                self._take(report, question, answer)

    def _tell(self, done: int, of: int) -> None:
        self.percent = 100 * done // max(of, 1)
        self.show_head()

    def _take(self, report: Report, question: Message, answer: Message) -> None:
        self.percent = None
        self.answered = Answered(report, question, answer)
        self.show_answer(answer)
        self.show_head()

    def _fail(self, question: Message, said: str) -> None:
        if question is self._question:
            self._show_nothing(said)

    def _show_nothing(self, hint: str) -> None:
        """No answer, and why."""
        self.percent = self.answered = None
        self.show_hint(hint)
        self.show_head()

    def ask_again(self) -> None:
        """Ask what is asked now, of the same prompt."""
        self._stop()
        self.update_view()

    def encoding_changed(self) -> None:
        """A pull went on, or other weights are to be taken."""
        self.show_pull()
        if self._look != self.encoding.look:
            self.answered = None
            self.ask_again()

    # --- the lines around it

    def show_head(self) -> None:
        """Say what is shown, first that it is a preview or of an earlier prompt."""
        self.set_class(self.stale, "-stale")
        answer = self.answered.answer if self.answered is not None else None
        facts = self.facts(answer) if answer is not None and not self.stale else ""
        rows = head_rows(answer, facts, self.percent, key_in_words(key_of(self, "encoder.pull")), stale=self.stale, width=self.text_width)
        said = rows, self.palette
        if said != self._said:  # it is told every 50 ms how far the work is: the layout is worked out anew for another height alone
            self.head.display = bool(rows)
            self.head.update(text_of(rows, self.palette), layout=self._said is None or len(rows) != len(self._said[0]))
            self._said = said

    def show_pull(self) -> None:
        pull = self.encoding.pulling
        rows = pull_rows(pull, self.text_width, partial(with_keys, self)) if pull is not None else []
        self.pull_line.display = bool(rows)
        if rows and in_view(self):
            self.pull_line.update(text_of(rows, self.palette))
        self.refresh_bindings()

    def on_resize(self) -> None:
        self.show_head()
        self.show_pull()

    def use_palette(self, palette: Palette) -> None:
        super().use_palette(palette)
        self.show_head()
        self.show_pull()

    # --- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stopping a pull is offered while there is one."""
        pull = self.encoding.pulling
        return action != "stop_pull" or (pull is not None and pull.running)

    def action_unit(self) -> None:
        """Words or tags."""
        self.unit = UNITS[self.unit]
        self.ask_again()

    def action_weights(self) -> None:
        """Choose which weights are taken."""
        choose_weights(self.main, self.encoding)

    def action_pull(self) -> None:
        """Fetch weights, one at a time."""
        pull = self.encoding.pulling
        if pull is not None and pull.running:
            self.notify(f"{pull.name} is being fetched{with_keys(self, ': {encoder.stop_pull} stops it')}.", markup=False)
        else:
            choose_pull(self.main, self.encoding)

    async def action_stop_pull(self) -> None:
        """Stop fetching; what is here stays."""
        await self.encoding.stop_pull()

    async def action_restart(self) -> None:
        """Another child process, and the question again."""
        self._stop()
        self._show_nothing("Starting the text-encoder process ...")
        await self.encoding.restart()
