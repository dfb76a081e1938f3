"""Pictures with their prompts inside: PNG, JPEG and WebP of AUTOMATIC1111, Forge, ComfyUI, Fooocus, InvokeAI, NovelAI and SwarmUI.

sd-parsers (the `images` extra) finds the text; what it finds of ComfyUI and of the web UIs is read by their own formats here, and so are
the settings of SwarmUI, which it does not know. Nothing is ever written into a picture, and text hidden in its pixels is left alone.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any

from promptlens.sources._document import Document, UnreadableFile
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Prompt, Role

NEEDED, WAY_OUT = "reading pictures needs the optional package sd-parsers", "Install it: pip install 'promptlens[images]'"

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")

# what decoders raise over a damaged picture: they check little before they use it
_DAMAGE = (OSError, ValueError, SyntaxError, TypeError, LookupError, AttributeError, EOFError, OverflowError, struct.error, zlib.error)

# sd-parsers 0.6 remembers a JPEG's or WebP's comment by the id() of its image object, which Python uses again: without this, one picture in
# 40 was given another one's prompt. An image that is still alive shares its id with none.
_LAST: list[Any] = []


_SWARM: tuple[tuple[str, Role], ...] = (("sui_image_params.prompt", "positive"), ("sui_image_params.negativeprompt", "negative"))

_EXIF, _COMMENT = 0x8769, 0x9286  # where JPEG and WebP keep what PNG has in text chunks: 8 bytes that name the encoding, then the text


def can_be_read() -> bool:
    """Whether the optional package is here that finds prompts in pictures; it is not loaded for that."""
    return find_spec("sd_parsers") is not None


def _detects(path: PurePath, head: Head) -> bool:
    return head.content.startswith(_STARTS) or (head.content[:4] == b"RIFF" and head.content[8:12] == b"WEBP")


def _read(path: str, content: bytes, settings: ReadSettings) -> Iterator[Item]:
    try:
        chunks, found = _opened(content)
    except ImportError:
        raise UnreadableFile(path, NEEDED, hint=WAY_OUT) from None
    except RecursionError:
        raise UnreadableFile(path, "its text is nested too deeply") from None
    except _DAMAGE as error:
        raise UnreadableFile(path, f"the picture cannot be read: {error}") from None
    graph = next((name for name in ("prompt", "workflow") if isinstance(chunks.get(name), str)), None)
    settings_text = chunks.get("parameters")
    if graph is not None:
        yield from _inner(path, graph, chunks[graph], "comfyui", settings)
    elif isinstance(settings_text, str) and not settings_text.lstrip().startswith("{"):
        yield from _inner(path, "parameters", settings_text, "infotext", settings)
    elif found is not None:
        yield from _listed(path, found)
    elif isinstance(settings_text, str):
        yield from _inner(path, "parameters", settings_text, "keyed", replace(settings, keys=_SWARM))


def _opened(content: bytes) -> tuple[dict[str, Any], Any]:
    """The text chunks of a picture, and what sd-parsers makes of them (None: nothing)."""
    from PIL import Image, UnidentifiedImageError
    from sd_parsers import ParserManager

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what decoders say of a picture is no business of who asks for its prompts
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
                _LAST[:] = [image]
                found = ParserManager().parse(image)
                chunks = {str(name): text for name, text in image.info.items()}
                comment = image.getexif().get_ifd(_EXIF).get(_COMMENT) if image.format != "PNG" else None
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise ValueError("it has too many pixels") from None
        except UnidentifiedImageError:
            raise ValueError("it does not begin like a PNG, JPEG or WebP") from None
    if isinstance(comment, bytes) and comment[:8].upper() == b"UNICODE\0":
        chunks.setdefault("parameters", comment[8:].decode("utf-16-be", "replace"))
    if found is not None and isinstance(found.raw_parameters, dict):
        chunks |= {str(name): text for name, text in found.raw_parameters.items()}
    return chunks, found


def _inner(path: str, chunk: str, text: str, row: str, settings: ReadSettings) -> Iterator[Item]:
    """The prompts of a text chunk; they have no line of their own, and cannot be written."""
    from promptlens.sources import FORMATS, read_document

    try:
        for item in read_document(Document(path, text), FORMATS[row], settings):
            if isinstance(item, Prompt):
                yield replace(item, line=1, column=1, key=f"{chunk}.{item.key}", pieces=(), mirrors=())
    except UnreadableFile as error:
        raise UnreadableFile(path, f"its text {chunk!r} cannot be read: {error.why}") from None


def _listed(path: str, found: Any) -> Iterator[Prompt]:
    lists: tuple[tuple[str, Role], ...] = (("prompts", "positive"), ("negative_prompts", "negative"))
    for name, role in lists:
        for number, prompt in enumerate(getattr(found, name)):
            if isinstance(prompt.value, str) and prompt.value.strip():
                yield Prompt(prompt.value, path, role=role, key=f"{role}[{number}]")


FORMAT = Format(
    name="images",
    title="Pictures",
    summary="PNG, JPEG and WebP with the prompts they were made from. Needs the images extra.",
    names=tuple(f"*{suffix}" for suffix in SUFFIXES),
    detects=_detects,
    rank=5,
    read_bytes=_read,
)
