"""Messages between a program and its encoder process: a line of JSON and float32 arrays, over pipes. No pickles: nothing in a
message can run.

    4 bytes   length of the JSON, little endian
    8 bytes   length of the arrays
    JSON      {..., "shapes": [[3, 77, 768], null]}      null stands for an array that is absent
    arrays    one after the other, float32 little endian
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, Any

from promptlens.encoder.windows import Vector, Window

Message = dict[str, Any]


def send(stream: IO[bytes], message: Message, arrays: Sequence[Any] = ()) -> None:
    """Write a message and its arrays (numpy, or None)."""
    bodies = [b"" if a is None else a.astype("<f4").tobytes() for a in arrays]
    shapes = [None if a is None else list(a.shape) for a in arrays]
    head = json.dumps(message | {"shapes": shapes}).encode()
    stream.write(len(head).to_bytes(4, "little") + sum(map(len, bodies)).to_bytes(8, "little") + head)
    for body in bodies:
        stream.write(body)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[Message, list[Any]] | None:
    """The next message and its arrays, or None when the other side is gone."""
    lengths = stream.read(12)
    if len(lengths) < 12:
        return None
    head_length, body_length = int.from_bytes(lengths[:4], "little"), int.from_bytes(lengths[4:], "little")
    head, body = stream.read(head_length), stream.read(body_length)
    if len(head) + len(body) < head_length + body_length:
        return None
    message: Message = json.loads(head)
    return message, _arrays(message.pop("shapes"), body)


def _arrays(shapes: list[list[int] | None], body: bytes) -> list[Any]:
    if not shapes:
        return []
    import numpy as np

    arrays: list[Any] = []
    offset = 0
    for shape in shapes:
        count = 0 if shape is None else int(np.prod(shape))
        array = np.frombuffer(body, dtype="<f4", count=count, offset=offset)
        arrays.append(None if shape is None else array.reshape(shape).astype(np.float32))
        offset += 4 * count
    return arrays


def window_to_json(window: Window) -> Message:
    """A window as JSON; its vectors as hexadecimal text, as there are few."""
    return {
        "ids": window.ids,
        "hide": sorted(window.hide),
        "vectors": [[v.position, v.values.hex()] for v in window.vectors],
    }


def window_from_json(message: Message) -> Window:
    """The way back."""
    vectors = tuple(Vector(position, bytes.fromhex(values)) for position, values in message["vectors"])
    return Window(tuple(message["ids"]), frozenset(message["hide"]), vectors)
