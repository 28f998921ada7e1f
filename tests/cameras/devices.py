"""Streams as real devices and servers write them: a Content-Type, and the bytes of a body with three pictures."""

from dataclasses import dataclass

from tests.cameras.pictures import exif, picture, segment

PICTURES = (
    picture(700, seed=1),
    picture(40, seed=2, extra=segment(0xFE, b"--frame\xff\xd9")),
    picture(300, seed=3, width=1600, height=1200, extra=exif(picture(30, width=160, height=120))),
)


@dataclass(frozen=True)
class Device:
    name: str
    content_type: str
    body: bytes


def _stream(
    before: bytes, head: bytes, after: bytes, end: bytes = b"", pictures: tuple[bytes, ...] = PICTURES
) -> bytes:
    """`head` may hold `%d` for the length."""
    parts = (head.replace(b"%d", str(len(jpeg)).encode()) + jpeg + after for jpeg in pictures)
    return before + b"".join(parts) + end


# A COM segment that names the boundary is fatal only where nothing but the boundary ends a part.
_PLAIN = (PICTURES[0], picture(40, seed=2), PICTURES[2])

DEVICES = (
    Device(
        "esp32_cam_seed",
        "multipart/x-mixed-replace; boundary=frame",
        _stream(b"", b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", b"\r\n"),
    ),
    Device(
        "seed_000_flask",
        "multipart/x-mixed-replace; boundary=frame",
        _stream(b"", b"--frame\r\nContent-Type: image/jpeg\r\n\r\n", b"\r\n", b"--frame\r\n", _PLAIN),
    ),
    Device(
        "esp32_camera_webserver",
        "multipart/x-mixed-replace;boundary=123456789000000000000987654321",
        _stream(
            b"",
            b"\r\n--123456789000000000000987654321\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n"
            b"X-Timestamp: 1700000000.123456\r\n\r\n",
            b"",
        ),
    ),
    Device(
        "mjpg_streamer",
        "multipart/x-mixed-replace;boundary=boundarydonotcross",
        _stream(
            b"--boundarydonotcross\r\n",
            b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: 1700000000.123456\r\n\r\n",
            b"\r\n--boundarydonotcross\r\n",
        ),
    ),
    Device(
        "ustreamer",
        "multipart/x-mixed-replace;boundary=boundarydonotcross",
        _stream(
            b"--boundarydonotcross\r\n",
            b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: 1700000000.123456\r\n"
            b"X-UStreamer-Online: true\r\nX-UStreamer-Width: 640\r\n\r\n",
            b"\r\n--boundarydonotcross\r\n",
        ),
    ),
    Device(
        "motion",
        "multipart/x-mixed-replace; boundary=--BoundaryString",
        _stream(
            b"--BoundaryString\r\n",
            b"Content-type: image/jpeg\r\nContent-Length:        %d\r\n\r\n",
            b"\r\n--BoundaryString\r\n",
        ),
    ),
    Device(
        "axis",
        "multipart/x-mixed-replace; boundary=myboundary",
        _stream(
            b"", b"--myboundary\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", b"\r\n", b"--myboundary--"
        ),
    ),
    Device(
        "gstreamer_multipartmux",
        'multipart/x-mixed-replace; boundary="ThisRandomString"',
        _stream(b"", b"\r\n--ThisRandomString\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", b""),
    ),
    Device(
        "ip_webcam_android",
        "multipart/x-mixed-replace;boundary=Ba4oTvQMY8ew04N8dcnM",
        _stream(
            b"\r\n--Ba4oTvQMY8ew04N8dcnM\r\n",
            b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n",
            b"\r\n--Ba4oTvQMY8ew04N8dcnM\r\n",
        ),
    ),
    Device(
        "ffmpeg_mpjpeg",
        "multipart/x-mixed-replace;boundary=ffmpeg",
        _stream(b"--ffmpeg\r\n", b"Content-type: image/jpeg\r\nContent-length: %d\r\n\r\n", b"\r\n--ffmpeg\r\n"),
    ),
    Device(
        "ffmpeg_mpjpeg_no_length",
        "multipart/x-mixed-replace;boundary=ffmpeg",
        _stream(b"--ffmpeg\r\n", b"Content-type: image/jpeg\r\n\r\n", b"\r\n--ffmpeg\r\n"),
    ),
    Device(
        "boundary_with_spaces",
        "multipart/x-mixed-replace; boundary=--video boundary--",
        _stream(b"", b"--video boundary--\r\nContent-Type: image/jpeg\r\nContent-length: %d\r\n\r\n", b"\r\n"),
    ),
    Device(
        "line_feeds_only",
        "Multipart/X-Mixed-Replace; Boundary=frame",
        _stream(b"", b"--frame\ncontent-type: image/jpeg\nCONTENT-LENGTH: %d\n\n", b"\n"),
    ),
    Device(
        "line_feeds_only_no_length",
        "multipart/x-mixed-replace; boundary=snap",
        _stream(b"hello\n", b"--snap\ncontent-type: image/jpeg\n\n", b"\n", b"--snap--\n"),
    ),
    Device(
        "one_letter_boundary",
        "multipart/x-mixed-replace; boundary=b",
        _stream(b"", b"--b\r\nContent-Type: image/jpeg\r\n\r\n", b"\r\n", b"--b\r\n"),
    ),
    Device(
        "dashes_declared_and_two_more_sent",
        "multipart/x-mixed-replace; boundary=--frame",
        _stream(b"", b"----frame\r\nContent-Type: image/jpeg\r\n\r\n", b"\r\n", b"----frame\r\n", _PLAIN),
    ),
)
