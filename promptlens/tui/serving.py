"""The terminal UI in a browser, by textual-serve: each page that is opened runs a `promptlens tui` of its own on this machine.

Whoever reaches the page reads and writes files as the user who serves it, so it listens on localhost alone unless told otherwise.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from promptlens.errors import InputError
from promptlens.terminal import talk
from promptlens.tui.served_page import mended

OWN = {"--serve": 0, "--address": 1, "--port": 1}  # options that are not passed on, and how many values each takes


def serve_tui(arguments: Sequence[str], address: str, port: int) -> int:
    """Serve until Ctrl-C. `arguments` are those of the command line. Raises `InputError` with the way out where it cannot."""
    if importlib.util.find_spec("textual_serve") is None:
        raise InputError("--serve needs one more package: pip install 'promptlens[serve]'")
    if not is_local(address):
        talk("note", f"{address} is not this machine alone: whoever can reach port {port} reads and writes your files through it.")
    _check_free(address, port)
    _guarded_server()(command_of(arguments), host=address, port=port, title="PromptLens").serve()
    return 0


def is_own(host: str, origin: str | None, *, local: bool) -> bool:
    """Whether a request comes from the served page itself, by its headers Host and Origin.

    A page of somebody else that is open in the same browser could else drive the UI, and with it read and write files. Where only this
    machine is served, the host must be it too: a foreign name that leads here is a foreign page.

    >>> is_own("localhost:8000", "http://localhost:8000", local=True), is_own("localhost:8000", "https://evil.example", local=True)
    (True, False)
    """
    if origin is not None and urlsplit(origin).netloc != host:
        return False
    return not local or is_local(urlsplit(f"//{host}").hostname or "")


def _guarded_server() -> Any:
    """textual-serve's server, which answers nobody but its own page, and with a page that takes keys at once."""
    from aiohttp import web
    from textual_serve.server import Server

    class GuardedServer(Server):  # type: ignore[misc]
        async def _make_app(self) -> Any:
            app = await super()._make_app()

            async def guard(request: Any, handler: Any) -> Any:
                if not is_own(request.host, request.headers.get("Origin"), local=is_local(self.host)):
                    raise web.HTTPForbidden(text="Not from the page that promptlens serves.")
                response = await handler(request)
                if isinstance(response, web.Response) and response.content_type == "text/html":
                    response.text = mended(response.text or "", self.public_url)
                return response

            app.middlewares.append(web.middleware(guard))
            return app

    return GuardedServer


def command_of(arguments: Sequence[str]) -> str:
    """The command line that each page runs, quoted for the shell that runs it.

    >>> command_of(["tui", "--serve", "--port=80", "my; prompt.txt"]).endswith("-m promptlens tui 'my; prompt.txt'")
    True
    """
    kept: list[str] = []
    left = iter(arguments)
    for argument in left:
        if argument == "--":
            kept += [argument, *left]
        elif (name := argument.partition("=")[0]) not in OWN:
            kept.append(argument)
        elif "=" not in argument:
            for _ in range(OWN[name]):
                next(left, None)
    parts = [sys.executable, "-m", "promptlens", *kept]
    return subprocess.list2cmdline(parts) if sys.platform == "win32" else shlex.join(parts)


def is_local(address: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _check_free(address: str, port: int) -> None:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
    except OSError as error:
        raise InputError(f"--serve cannot listen on {address} port {port}: {error.strerror or error}. Try --port with another.") from error
