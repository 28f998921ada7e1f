"""A real RTSP server, GStreamer's: run by the system's Python, which has its bindings, and not by the tests' own.

    /usr/bin/python3 tests/rtsp_server.py [PASSWORD | --check]

It prints `port <n>` and serves a moving test picture of 320x240 at 15 pictures a second as `/h264` and `/h265`, until
its standard input is closed. With a password, `admin` must give it. `--check` ends at once, with 0 if all that it needs
is installed.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - the versions must be named first

PICTURES = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 ! videoconvert !"
CODECS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph265pay name=pay0 pt=96",
}


def main(password: str | None) -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if password is not None:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest("admin", password, token)
        server.set_auth(auth)
    for name, codec in CODECS.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {PICTURES} {codec} )")
        factory.set_shared(True)
        if password is not None:
            permissions = GstRtspServer.RTSPPermissions()
            for right in ("access", "construct"):
                permissions.add_permission_for_role("viewer", f"media.factory.{right}", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{name}", factory)
    server.attach(None)
    print(f"port {server.get_bound_port()}", flush=True)
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


def complete() -> bool:
    Gst.init(None)
    needed = ("videotestsrc", "videoconvert", "x264enc", "x265enc", "rtph264pay", "rtph265pay")
    return all(Gst.ElementFactory.find(name) is not None for name in needed)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(not complete())
    main(sys.argv[1] if len(sys.argv) > 1 else None)
