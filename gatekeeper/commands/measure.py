"""`gatekeeper measure`: how far two marked points move, from a camera or a video file."""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from gatekeeper.commands.words import note
from gatekeeper.decoding import show
from gatekeeper.errors import InvalidArgument

if TYPE_CHECKING:
    from gatekeeper.measurements.calibration import Calibration
    from gatekeeper.measurements.measurement import Taker
    from gatekeeper.measurements.preview import Preview
    from gatekeeper.measurements.targets import Target
    from gatekeeper.measurements.video import Video
    from gatekeeper.measurements.window import Window

ABOUT = """\
Measure how far two marked points, A and B, move, in mm from the first picture in which each is whole. Print the markers
first (--markers sheet.png), fix A lower and B higher on what moves, and keep the camera still. One of the calibrations
must be given: without one there are no millimetres. Ends with the video, with --seconds, or by Ctrl-C.
"""

EXAMPLES = """\
examples:
  gatekeeper measure --markers sheet.png                        two markers of 60 mm, to print
  gatekeeper measure --camera 0 --marker-size-mm 60             watch it
  gatekeeper measure --file run.mp4 --headless --marker-size-mm 60 --csv run.csv
  gatekeeper measure --camera 0 --marker-size-mm 60 --team 1 --server ws://192.168.1.5:8080
  gatekeeper measure --camera 0 --a 210,330 --b 305,95,64 --ruler 120,40,120,440,500
"""

TEAMS: Final = range(1, 65)  # what a server may have; eight, unless it is told otherwise
TOKEN: Final = "GATEKEEPER_TOKEN"  # noqa: S105 - the name in the environment: everybody here sees command lines

say = print


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `measure`."""
    it = commands.add_parser(
        "measure",
        help="measure how far two points move",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = it.add_argument_group("where the pictures come from").add_mutually_exclusive_group(required=True)
    where.add_argument("--camera", type=int, metavar="N", help="a camera of this machine; 0 is the first")
    where.add_argument("--file", metavar="PATH", help="a video file, with the time stamps that it has")
    where.add_argument("--url", metavar="URL", help="a stream: http://… (MJPEG) or rtsp://…")
    where.add_argument("--markers", metavar="PNG", help="write a page with the markers to print, and end")

    scale = it.add_argument_group("calibration: one of").add_mutually_exclusive_group()
    scale.add_argument("--marker-size-mm", metavar="MM[,MM]", help="side of the markers' black squares; of A's and B's")
    scale.add_argument(
        "--distance-mm", metavar="MM", help="from A's to B's centre at rest, both as far from the camera"
    )
    scale.add_argument(
        "--ruler", metavar="X,Y,X,Y,MM", help="a known length between two places in the picture (pixels)"
    )
    scale.add_argument("--mm-per-px", metavar="MM[,MM]", help="measured before; for A and B")

    what = it.add_argument_group("what is measured")
    point = "a marker's number, or X,Y[,SIDE] of a patch in the first picture (pixels); a marker, %s, if not given"
    what.add_argument("--a", metavar="POINT", default="0", help=point % 0)
    what.add_argument("--b", metavar="POINT", default="1", help=point % 1)
    what.add_argument(
        "--axis", choices=("horizontal", "vertical"), default="horizontal", help="right or up is positive"
    )
    what.add_argument("--mirrored", action="store_true", help="left is positive: the camera looks from the other side")
    what.add_argument("--seconds", metavar="S", help="end after so much video")
    what.add_argument("--size", metavar="WxH", help="ask the camera for pictures of this size")
    what.add_argument("--fps", metavar="N", help="ask the camera for so many pictures a second")

    out = it.add_argument_group("where it goes")
    out.add_argument("--team", type=int, metavar="N", help=f"{TEAMS[0]} to {TEAMS[-1]}: whose readings these are")
    out.add_argument("--server", metavar="URL", help=f"send each reading to ws://HOST:8080; ${TOKEN} may hold a key")
    out.add_argument("--csv", metavar="PATH", help="write each reading; - is the terminal")
    shown = out.add_mutually_exclusive_group()
    shown.add_argument("--headless", action="store_true", help="show no pictures")
    shown.add_argument("--preview", type=int, metavar="PORT", help="show them in a browser at this port of 127.0.0.1")
    it.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure, and say what it came to."""
    if arguments.markers is not None:
        _print_markers(arguments)
        return
    from gatekeeper.measurements.displacement import Displacement  # noqa: PLC0415 - OpenCV takes a fifth of a second
    from gatekeeper.measurements.measurement import Measuring  # noqa: PLC0415
    from gatekeeper.measurements.reading import Axis  # noqa: PLC0415

    if arguments.team is not None and arguments.team not in TEAMS:
        raise InvalidArgument(f"--team is {TEAMS[0]} to {TEAMS[-1]}; found {arguments.team}")
    if arguments.server is not None and arguments.team is None:
        raise InvalidArgument("--server needs --team: the server must know whose readings these are")
    displacement = Displacement(
        _calibration(arguments),
        _target("--a", arguments.a),
        _target("--b", arguments.b),
        Axis(arguments.axis),
        arguments.mirrored,
    )
    seconds = None if arguments.seconds is None else _numbers("--seconds", arguments.seconds, 1)[0]
    tell = note if arguments.csv == "-" else say
    with ExitStack() as ending:
        video = ending.enter_context(closing(_video(arguments)))
        takers = [ending.enter_context(_table(arguments.csv))] if arguments.csv is not None else []
        if arguments.server is not None:
            takers.append(ending.enter_context(_sending(arguments.team, arguments.server, tell)))
        elif arguments.team is not None:
            note("nothing is sent: --server ws://HOST:8080 says where to")
        screen = None if arguments.headless else ending.enter_context(closing(_screen(arguments)))
        measuring = Measuring(displacement, takers, screen, note)
        # Ctrl-C is how a measurement of a camera ends
        try:
            measuring.run(video, seconds)
        except KeyboardInterrupt:
            note("ended")
        for line in [*measuring.record.lines(), *_about(video)]:
            tell(line)


def _print_markers(arguments: argparse.Namespace) -> None:
    from gatekeeper.measurements import sheet  # noqa: PLC0415 - OpenCV takes a fifth of a second

    text = arguments.marker_size_mm
    side = sheet.USUAL if text is None else _numbers("--marker-size-mm", text, 1)[0]
    Path(arguments.markers).write_bytes(sheet.sheet(side))
    say(f"{arguments.markers}: print it at 100 %, cut at the marks, and measure with --marker-size-mm {side:g}")


# --- what was asked for ---


def _calibration(arguments: argparse.Namespace) -> "Calibration | None":
    from gatekeeper.measurements.calibration import ALLOWED, Distance, Known, MarkerSide, Scale  # noqa: PLC0415

    if arguments.marker_size_mm is not None:
        return MarkerSide(*_two("--marker-size-mm", arguments.marker_size_mm))
    if arguments.distance_mm is not None:
        return Distance(*_numbers("--distance-mm", arguments.distance_mm, 1))
    if arguments.ruler is not None:
        x1, y1, x2, y2, mm = _numbers("--ruler", arguments.ruler, 5)
        return Known.ruler((x1, y1), (x2, y2), mm)
    if arguments.mm_per_px is not None:
        a, b = _two("--mm-per-px", arguments.mm_per_px)
        return Known(Scale(a, a), Scale(b, b))
    raise InvalidArgument(
        f"a displacement in mm needs a calibration: {ALLOWED} (--marker-size-mm, --distance-mm, --ruler or --mm-per-px)"
    )


def _target(option: str, text: str) -> "Target":
    from gatekeeper.measurements.targets import Marker, Patch  # noqa: PLC0415

    if text.isascii() and text.isdigit():
        return Marker(int(text))
    found = _numbers(option, text, 2, 3)
    return Patch(found[0], found[1], *(round(side) for side in found[2:]))


def _numbers(option: str, text: str, *counts: int) -> list[float]:
    """Return the numbers of an option.

    :raises InvalidArgument: if there are more or fewer, or something else.
    """
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) not in counts or not all(math.isfinite(number) for number in found):
        many = " or ".join(map(str, counts))
        raise InvalidArgument(f"{option} takes {many} number{'s' if counts != (1,) else ''}; found {show(text)}")
    return found


def _two(option: str, text: str) -> tuple[float, float]:
    found = _numbers(option, text, 1, 2)
    return found[0], found[-1]


def _video(arguments: argparse.Namespace) -> "Video":
    from gatekeeper.measurements import video  # noqa: PLC0415

    if arguments.file is not None:
        return video.file(arguments.file, paced=not arguments.headless or arguments.server is not None)
    if arguments.url is not None:
        return video.address(arguments.url)
    width, height = (None, None) if arguments.size is None else _size(arguments.size)
    fps = None if arguments.fps is None else _numbers("--fps", arguments.fps, 1)[0]
    return video.camera(arguments.camera, video.Wish(width, height, fps))


def _size(text: str) -> tuple[int, int]:
    wide, _, high = text.lower().partition("x")
    if not (wide.isascii() and wide.isdigit() and high.isascii() and high.isdigit()):
        raise InvalidArgument(f"--size is like 1280x720; found {show(text)}")
    return int(wide), int(high)


# --- where it goes ---


@contextmanager
def _table(path: str) -> "Iterator[Taker]":
    from gatekeeper.measurements.table import Table  # noqa: PLC0415

    if path == "-":
        yield Table(sys.stdout)
        return
    file: TextIO
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        yield Table(file)


@contextmanager
def _sending(team: int, url: str, tell: Callable[[str], None]) -> "Iterator[Taker]":
    """Send while it lasts; afterwards wait a little for what the server hasn't stored, and say how much it has."""
    from gatekeeper.measurements.sender import CameraSender  # noqa: PLC0415
    from gatekeeper.measurements.sending import Sending  # noqa: PLC0415

    try:
        sender = CameraSender(team, url, token=os.environ.get(TOKEN))
    except ValueError as error:
        raise InvalidArgument(f"--server: {error}") from None
    if not sender.connect():
        note(f"{sender.ws_url} doesn't answer; readings wait and are sent when it does")
    try:
        yield Sending(sender)
    finally:
        sender.disconnect()
        said = sender.get_stats()
        of = f"{said['success']} stored, {said['failed']} failed, {said['waiting']} not sent"
        tell(f"{said['total']} readings for the server: {of}")


def _screen(arguments: argparse.Namespace) -> "Preview | Window":
    from gatekeeper.measurements import window  # noqa: PLC0415
    from gatekeeper.measurements.preview import Preview  # noqa: PLC0415

    missing = window.missing() if arguments.preview is None else None
    if arguments.preview is None and missing is None:
        return window.Window()
    preview = Preview(arguments.preview or 0)
    note(f"look at {preview.address}" + (f" ({missing})" if missing else ""))
    return preview


def _about(video: "Video") -> list[str]:
    """Return what must be known of the video's time stamps."""
    from gatekeeper.measurements.video import LiveVideo  # noqa: PLC0415

    if isinstance(video, LiveVideo):
        return [] if video.stamped else ["the times are those of the pictures' arrival: the camera gives none"]
    return [f"{video.invented} pictures had no time stamp of their own"] if video.invented else []
