"""What an ESP32-S3 camera says and is told, as text. Text in, a struct out; nothing is remembered.

    camera:  {"type":"register","device":"camera"}               with "id" and "frames":["gkf1"] from our own firmware
             {"type":"info","resolutions":"0:QQVGA(160x120),…","mode":"Estabilidad","fps":20}
             {"type":"health","frames":N,"dropped":N,"heap":N,"minHeap":N,"rssi":-N,"uptime":"1h 2m 3s",…}
             {"type":"response","cmd":"quality","status":"ok"|"error","value":"…"}      value not escaped, or left out
             {"type":"status","msg":"…"}
             {"type":"frame_start","id":N,"size":S} … {"type":"frame_end","id":N}
             {"type":"img_start","id":N,"size":S,"chunks":C,"chunkSize":K,…} … {"type":"img_end","id":N,"success":true}
    server:  {"status":"ok","message":"Camera registered","server_time":"<iso>"}        no "type": the firmware's way
             {"type":"img_ack","status":"ready","timestamp":1700000000.0}
             {"type":"command","cmd":"resolution","val":"8","timestamp":1700000000.0}

`val` is a *string*, always: the firmware reads a number as "" and so as 0.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

MAXIMUM_TEXT: Final = 16 * 1024  # bytes; a camera's longest text, `info`, has 400
MAXIMUM_WORDS: Final = 100  # characters of what a camera says that are shown to people

FRAMED: Final = "gkf1"
"""The name of the framed mode (`framing`), as `register` offers and is offered it."""

Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]  # what every serializer and browser can carry


class _Message(msgspec.Struct, frozen=True, tag_field="type"):
    """A text of the camera's."""


class Register(_Message, frozen=True, tag="register"):
    """The first text. `id` tells cameras apart, and `frames` names the modes that it knows; the seed's has neither."""

    device: str = ""
    id: str | None = None
    frames: tuple[str, ...] = ()


class Info(_Message, frozen=True, tag="info"):
    """What it can and how it is set; `health` checks the values."""

    resolutions: Any = None
    mode: Any = None
    fps: Any = None


class Health(_Message, frozen=True, tag="health"):
    """How it is, every ten seconds; `health` checks the values, so that one odd figure doesn't cost the others.

    `uptime` is text: `1h 2m 3s`. `psram`, `reset` and `firmware` are our own firmware's.
    """

    frames: Any = None
    dropped: Any = None
    heap: Any = None
    minHeap: Any = None  # the camera's spelling
    psram: Any = None
    rssi: Any = None
    uptime: Any = None
    ip: Any = None
    model: Any = None
    firmware: Any = None
    resolution: Any = None
    quality: Any = None
    reset: Any = None


class Response(_Message, frozen=True, tag="response"):
    """The answer to a command; it carries no number, only the command's name."""

    cmd: str
    status: str
    value: str = ""


class Said(_Message, frozen=True, tag="status"):
    """Words for people."""

    msg: str = ""


class FrameStart(_Message, frozen=True, tag="frame_start"):
    """The next binary message is one picture of this size."""

    id: Whole = 0
    size: Whole = 0


class FrameEnd(_Message, frozen=True, tag="frame_end"):
    """It was."""

    id: Whole = 0


class ImageStart(_Message, frozen=True, tag="img_start"):
    """The next binary messages are pieces of one picture, in order."""

    id: Whole = 0
    size: Whole = 0
    chunks: Whole = 0


class ImageEnd(_Message, frozen=True, tag="img_end"):
    """They were."""

    id: Whole = 0
    success: bool = True


class Unheard(msgspec.Struct, frozen=True):
    """A text that is none of these."""

    text: str


Message = Register | Info | Health | Response | Said | FrameStart | FrameEnd | ImageStart | ImageEnd

_DECODER: Final = msgspec.json.Decoder(Message, strict=False)
_RAW_RESPONSE: Final = re.compile(
    r'\s*\{"type":"response","cmd":"(?P<cmd>.*?)","status":"(?P<status>ok|error)"(?:,"value":"(?P<value>.*)")?\}\s*',
    re.DOTALL,
)
_UPTIME: Final = re.compile(r"(?:(\d{1,6})d )?(?:(\d{1,6})h )?(?:(\d{1,6})m )?(\d{1,6})s")


def parse(text: bytes) -> Message | Unheard:
    """Return what a text says; never raises, whatever it holds."""
    if len(text) > MAXIMUM_TEXT:
        return Unheard(f"{len(text)} bytes of text")
    try:
        message: Message = _DECODER.decode(text)
        return message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    words = text.decode("utf-8", "replace")
    found = _RAW_RESPONSE.fullmatch(words)  # a quotation mark in the value, which the firmware doesn't escape
    if found is not None:
        return Response(found["cmd"], found["status"], found["value"] or "")
    return Unheard(shown(words))


def shown(words: str) -> str:
    """Return a camera's words as they may be shown: printable, and not too many."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words[:MAXIMUM_WORDS])


def seconds(uptime: str) -> float | None:
    """Return what `1h 2m 3s` means in seconds, or None if it is something else."""
    found = _UPTIME.fullmatch(uptime.strip()[:MAXIMUM_WORDS])
    if found is None:
        return None
    days, hours, minutes, rest = (int(group or 0) for group in found.groups())
    return float(days * 86400 + hours * 3600 + minutes * 60 + rest)


# --- what we say -----------------------------------------------------------------------------------------------------


def registered(wall: float, offer: bool) -> bytes:
    """Return the answer to `register`, to the letter of the seed's server.

    :param wall: Unix seconds.
    :param offer: add that pictures may come framed, to a camera that knows how.
    """
    answer = {
        "status": "ok",
        "message": "Camera registered",
        "server_time": datetime.fromtimestamp(wall, UTC).isoformat(),
    }
    return msgspec.json.encode(answer | ({"frames": FRAMED} if offer else {}))


def acknowledged(wall: float) -> bytes:
    """Return the answer to `img_start`, which the seed's server gives and its camera doesn't wait for."""
    return msgspec.json.encode({"type": "img_ack", "status": "ready", "timestamp": wall})


def command(cmd: str, val: str, wall: float) -> bytes:
    """Return a command; `val` is text for every command."""
    return msgspec.json.encode({"type": "command", "cmd": cmd, "val": val, "timestamp": wall})
