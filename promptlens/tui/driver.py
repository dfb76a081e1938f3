"""The terminal of the UI: Textual's driver for it, which also ends the application once the terminal is gone or the process is told to end.

A terminal that is closed mostly sends SIGHUP, which would end the process before the last letters are in the draft. One whose owner is
killed may send nothing: then each read is an end of file and each write an error, of which Textual's own threads would spin and die. It
leaves out Windows, and the browser as a terminal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import termios
from contextlib import suppress
from threading import Event, Thread
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver

LOOK_S = 1.0  # between two looks whether the terminal is still there
STANDARD = (0, 1, 2)


class Lasting:
    """A stream to the terminal; what is written when nobody is there any more is dropped."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()


class TerminalDriver(LinuxDriver):
    """The driver. Whichever way the application is ended, what is typed is a draft by then."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        assert self._file is not None
        self._file: Any = Lasting(self._file)
        self._handles = [handle for handle in STANDARD if os.isatty(handle)]
        self._closed = Event()
        self._looking: Thread | None = None

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._looking is None:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGHUP, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                    loop.add_signal_handler(number, self._app.exit)
            self._looking = Thread(target=self._look, args=(loop,), daemon=True, name="terminal-gone")
            self._looking.start()

    def close(self) -> None:
        super().close()
        self._closed.set()
        if self._is_gone():
            self._let_go()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until the terminal is gone, then end the application."""
        while not self._closed.wait(LOOK_S):
            if self._is_gone():
                self._let_go()
                with suppress(RuntimeError):  # it has ended by itself meanwhile
                    loop.call_soon_threadsafe(self._app.exit)
                return

    def _is_gone(self) -> bool:
        if self.fileno not in self._handles:
            return False
        try:
            termios.tcgetattr(self.fileno)
        except termios.error:
            return True
        return False

    def _let_go(self) -> None:
        """Put nothing in the place of the terminal, so that what is still written on leaving goes somewhere."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for handle in self._handles:
            os.dup2(nothing, handle)
        os.close(nothing)
