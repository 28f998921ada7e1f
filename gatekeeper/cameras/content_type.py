"""Is an answer a stream of pictures, and what separates them?

    Content-Type: multipart/x-mixed-replace; boundary=frame

Devices quote the boundary or don't, declare it with its leading dashes or without, and write spaces into it unquoted.
"""

from typing import Final

from gatekeeper.errors import ProtocolError

MAXIMUM_BOUNDARY: Final = 200  # characters; RFC 2046 allows 70
MAXIMUM_SHOWN: Final = 60  # characters of a wrong type that an error repeats

_STREAMS: Final = ("multipart/x-mixed-replace", "multipart/mixed")


class InvalidContentType(ProtocolError):
    """The answer is no `multipart/x-mixed-replace` with a boundary; the message says what it is."""

    code = "camera_content_type"


def boundary(content_type: str) -> str:
    """Return the boundary that a Content-Type header declares, as declared.

    :raises InvalidContentType: if the type is another one, or declares none.
    """
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() not in _STREAMS:
        raise InvalidContentType(f"{_shown(kind)}, not a multipart/x-mixed-replace stream")
    at = parameters.lower().find("boundary=")
    value = parameters[at + len("boundary=") :].strip() if at >= 0 else ""
    # Unquoted values hold spaces on some devices (`boundary=--video boundary--`): only `;` ends them.
    value = value[1:].partition('"')[0] if value.startswith('"') else value.partition(";")[0].strip()
    if not value.strip("-") or len(value) > MAXIMUM_BOUNDARY:
        raise InvalidContentType("a multipart stream without a usable boundary")
    return value


def _shown(kind: str) -> str:
    shown = "".join(char for char in kind.strip()[:MAXIMUM_SHOWN] if char.isprintable())
    return shown or "no content type"
