"""Asking the Hugging Face hub, or a mirror that speaks like it, for files and parts of files.

    HEAD {endpoint}/{repo}/resolve/{revision}/{file}    size and checksum (X-Linked-Size, X-Linked-Etag), commit, where the bytes are
    GET  the same, Range: bytes=a-b                     bytes, usually from another host by a redirect

HF_ENDPOINT names the mirror, HF_TOKEN or a login the user; proxies are those of the environment (HTTPS_PROXY, NO_PROXY). The token goes to
the hub alone, never on to the host that a redirect names. It leaves out what is done with the bytes.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from promptlens import __version__
from promptlens.encoder.catalog import Remote
from promptlens.errors import WeightsError
from promptlens.home import with_home

DEFAULT_ENDPOINT = "https://huggingface.co"
TIMEOUT_S = 30.0
REDIRECTS = 5


class RefusedError(WeightsError):
    """The hub answered, and the answer is no: the file is not there, or not for this user. Another place may have it."""


class UnreachableError(WeightsError):
    """The hub did not answer, or stopped in the middle. Trying again may help."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it. `checksum` is its sha256 (files in large-file storage) or git's sha1 of it (small ones);
    empty where the server states neither."""

    url: str
    remote: Remote
    size: int
    checksum: str
    commit: str

    @property
    def title(self) -> str:
        return f"{self.remote.repo}/{self.remote.file}"


class Stream:
    """The bytes of an answer. A read that gets nothing although more is due raises `UnreachableError`."""

    def __init__(self, response: Any, host: str, due: int) -> None:
        self._response, self._host, self._due = response, host, due

    def read(self, count: int) -> bytes:
        """At most `count` bytes, at least one while any are due."""
        count = min(count, self._due)
        try:
            chunk: bytes = self._response.read(count)
        except (OSError, http.client.HTTPException) as e:  # cut, timed out, or broken encryption
            raise UnreachableError(f"The connection to {self._host} broke ({e}).") from e
        if count and not chunk:
            raise UnreachableError(f"{self._host} stopped sending.")
        self._due -= len(chunk)
        return chunk


class _NoRedirect(HTTPRedirectHandler):
    """Redirects come back as answers: their headers are wanted, and the token must not follow them everywhere."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Hub:
    """One place to ask. `endpoint` and `token` default to those of the environment."""

    def __init__(self, *, endpoint: str | None = None, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self.endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
        self.host = urlsplit(self.endpoint).netloc
        self._token = find_token() if token is None else token
        self._timeout_s = timeout_s
        self._opener = _opener(self.endpoint)
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
            raise WeightsError("HF_HUB_OFFLINE is set, so nothing is fetched. Unset it, or name a file you have.")

    def look_up(self, remote: Remote) -> RemoteFile:
        """Size, checksum and commit of a file. Raises `RefusedError` or `UnreachableError`."""
        url = f"{self.endpoint}/{remote.repo}/resolve/{quote(remote.revision, safe='')}/{quote(remote.file)}"
        headers: dict[str, str] = {}
        for _ in range(REDIRECTS):
            with self._answer(url, "HEAD", {}, remote) as response:
                redirected = response.status >= 300
                for name, value in response.headers.items():
                    if not redirected or name.lower().startswith("x-"):  # the length of a redirect is its own
                        headers.setdefault(name.lower(), value)
                if response.status < 300 or "x-linked-size" in headers:
                    break
                url = self._next(url, response, remote)
        size = headers.get("x-linked-size") or headers.get("content-length") or ""
        if not size.isdecimal():
            raise UnreachableError(f"{self.host} does not say how large {remote.file} of {remote.repo} is, so it cannot be fetched.")
        etag = (headers.get("x-linked-etag") or headers.get("etag") or "").removeprefix("W/").strip('"').lower()
        checksum = etag if re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{40}", etag) else ""
        return RemoteFile(url, remote, int(size), checksum, headers.get("x-repo-commit", ""))

    @contextmanager
    def read(self, file: RemoteFile, start: int, end: int) -> Iterator[Stream]:
        """The bytes `start` to `end` (exclusive) of a file. A server that ignores ranges is read through up to `start`."""
        whole = start == 0 and end == file.size
        url, headers = file.url, {} if whole else {"Range": f"bytes={start}-{end - 1}"}
        for _ in range(REDIRECTS):
            with self._answer(url, "GET", headers, file.remote) as response:
                if response.status >= 300:
                    url = self._next(url, response, file.remote)
                    continue
                _check_range(response, file, start)
                skipped = 0 if response.status == 206 else start
                stream = Stream(response, self.host, skipped + end - start)
                while skipped > 0:
                    skipped -= len(stream.read(min(skipped, 1 << 20)))
                yield stream
                return
        raise UnreachableError(f"{self.host} redirects {file.title} in a circle.")

    @contextmanager
    def _answer(self, url: str, method: str, headers: dict[str, str], remote: Remote) -> Iterator[Any]:
        """The answer to one request, redirects included; a refusal or a broken line raises."""
        request = Request(url, method=method, headers={"User-Agent": f"promptlens/{__version__}", "Accept-Encoding": "identity", **headers})
        if self._token and urlsplit(url)[:2] == urlsplit(self.endpoint)[:2]:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            response = self._opener.open(request, timeout=self._timeout_s)
        except HTTPError as e:
            if not 300 <= e.code < 400:
                e.close()
                raise _refusal(e, remote, urlsplit(url).netloc, self.endpoint) from None
            response = e
        except (OSError, http.client.HTTPException) as e:  # URLError is an OSError
            raise _unreachable(urlsplit(url).netloc, getattr(e, "reason", e)) from e
        with response:
            yield response

    def _next(self, url: str, response: Any, remote: Remote) -> str:
        """Where a redirect leads; never from https to http."""
        target: str = urljoin(url, response.headers.get("Location") or "")
        if target == url or urlsplit(target).scheme not in ("https", urlsplit(url).scheme):
            raise UnreachableError(f"{self.host} redirects {remote.file} of {remote.repo} to {target!r}, which is no place to fetch from.")
        return target


def find_token() -> str:
    """The user's access token: HF_TOKEN, or that of a login; empty without one."""
    try:
        from huggingface_hub import get_token  # 0.15 s, and only when something is fetched
    except ImportError:
        given = os.environ.get("HF_TOKEN") or ""
        home = Path(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
        file = with_home(os.environ.get("HF_TOKEN_PATH") or home / "token")
        return given or (file.read_text(encoding="utf-8").strip() if file.is_file() else "")
    return str(get_token() or "")


def _opener(endpoint: str) -> OpenerDirector:
    """Requests with the environment's proxies and certificates, and with redirects left to us."""
    if not endpoint.startswith("https:"):
        return build_opener(_NoRedirect)
    context = ssl.create_default_context()
    if bundle := os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE"):
        context.load_verify_locations(bundle)
    return build_opener(_NoRedirect, HTTPSHandler(context=context))


def _check_range(response: Any, file: RemoteFile, start: int) -> None:
    """Raise where the bytes that come are not those asked for: the file changed, or the server counts otherwise."""
    given = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range") or "")
    if response.status == 206 and not (given and int(given[1]) == start and given[2] in (str(file.size), "*")):
        raise UnreachableError(f"{file.title} is not what it was a moment ago ({response.headers.get('Content-Range')}). Pull it again.")


def _refusal(e: HTTPError, remote: Remote, host: str, endpoint: str) -> WeightsError:
    """What an error status means for the user."""
    what = f"{host} refuses {remote.file} of {remote.repo} ({e.code}"
    said = e.headers.get("X-Error-Message") if e.headers else None
    what += f", {said!r})" if said else ")"
    if e.code == 401:
        return RefusedError(f"{what}: the repository is private or gone. If you may read it, log in with `hf auth login` or set HF_TOKEN.")
    if e.code == 403:
        return RefusedError(f"{what}: your account may not read it. Accept its conditions at {endpoint}/{remote.repo}, then pull again.")
    if e.code in (404, 410):
        return RefusedError(f"{host} has no {remote.file} in {remote.repo} at revision {remote.revision} ({e.code}).")
    if e.code == 429:
        return UnreachableError(f"{what}: too many requests. Wait a few minutes, or log in with `hf auth login` or HF_TOKEN.")
    return UnreachableError(f"{what}: the server is in trouble.")


def _unreachable(host: str, reason: Any) -> UnreachableError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        way_out = "If a proxy or mirror has a certificate of its own, name its authority with SSL_CERT_FILE."
    else:
        way_out = "Check the connection and the proxy (HTTPS_PROXY), or name a mirror with HF_ENDPOINT."
    return UnreachableError(f"{host} cannot be reached ({reason}). {way_out}")
