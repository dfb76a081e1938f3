"""A hub on the loopback interface: the protocol of huggingface.co as far as a download sees it, and its ways to fail.

HEAD, GET /{repo}/resolve/{revision}/{file}    302 to the storage host, with X-Linked-Size, X-Linked-Etag (sha256), X-Repo-Commit
GET       /storage/{repo}/{file}               the bytes; ranges; the storage host is "localhost", the hub "127.0.0.1"
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Seen:
    """One request."""

    method: str
    path: str
    host: str
    range: str
    token: str


@dataclass
class FakeHub:
    """`files`: content by "repo/file". `refuse`: status by "repo/file". The rest are faults, used up one a request where they are lists."""

    files: dict[str, bytes] = field(default_factory=dict)
    refuse: dict[str, int] = field(default_factory=dict)
    refuse_all: int = 0
    stated_sha256: dict[str, str] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)  # bytes that the next answers send before the line breaks
    trouble: list[int] = field(default_factory=list)  # statuses that the next storage answers have instead
    hold_after: int = 0  # bytes after which an answer waits until `go_on` is set
    go_on: Event = field(default_factory=Event)
    ranges: bool = True
    direct: bool = False  # small files: answered by the hub itself, git's sha1 for an ETag
    requests: list[Seen] = field(default_factory=list)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def gets(self) -> list[Seen]:
        """Requests for bytes."""
        return [r for r in self.requests if r.method == "GET" and (self.direct or r.path.startswith("/storage/"))]


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            headers = self.headers
            range_, token = headers.get("Range", ""), headers.get("Authorization", "")
            hub.requests.append(Seen(self.command, self.path, headers.get("Host", ""), range_, token))
            path = re.sub(r"^http://[^/]*", "", self.path)  # as proxies are asked
            if path.startswith("/storage/"):
                self.storage(path.removeprefix("/storage/"))
            elif match := re.fullmatch(r"/(.+?)/resolve/main/(.+)", path):
                self.resolve(f"{match[1]}/{match[2]}")
            else:
                self.status(404)

        def status(self, code: int, **more: str) -> None:
            self.send_response(code)
            for name, value in {"Content_Length": "0", **more}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        def resolve(self, name: str) -> None:
            code = hub.refuse_all or hub.refuse.get(name) or (0 if name in hub.files else 404)
            if code:
                return self.status(code, X_Error_Code="EntryNotFound" if code == 404 else "GatedRepo")
            content = hub.files[name]
            if hub.direct:
                sha1 = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
                return self.content(content, ETag=f'W/"{sha1}"', X_Repo_Commit=COMMIT)
            sha256 = hub.stated_sha256.get(name) or hashlib.sha256(content).hexdigest()
            return self.status(
                302,
                Location=f"http://localhost:{hub.port}/storage/{name}",
                X_Linked_Size=str(len(content)),
                X_Linked_Etag=f'"{sha256}"',
                X_Repo_Commit=COMMIT,
            )

        def storage(self, name: str) -> None:
            if hub.trouble:
                return self.status(hub.trouble.pop(0))
            return self.content(hub.files[name], ETag='"of the storage, not of the file"')

        def content(self, content: bytes, **headers: str) -> None:
            match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start, stop = 0, len(content)
            if match and hub.ranges:
                start, stop = int(match[1]), min(int(match[2] or len(content) - 1) + 1, len(content))
                headers["Content_Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
            body = content[start:stop]
            self.status(206 if "Content_Range" in headers else 200, **(headers | {"Content_Length": str(len(body))}))
            if self.command == "GET":
                if hub.cut_after and len(body) > hub.cut_after[0]:
                    body = body[: hub.cut_after.pop(0)]
                    self.close_connection = True
                first = len(body) if hub.go_on.is_set() or not hub.hold_after else hub.hold_after
                with suppress(ConnectionError):  # who asked is gone
                    self.wfile.write(body[:first])
                    if first < len(body):
                        hub.go_on.wait()
                        self.wfile.write(body[first:])

    return Handler


@contextmanager
def serve(hub: FakeHub) -> Iterator[FakeHub]:
    """The hub at work, on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.port = server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
