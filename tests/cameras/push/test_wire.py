"""What the camera of seed 004 says and is told: its own texts, and whatever else comes on the wire."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.cameras.push import wire

SEED = {
    '{"type":"register","device":"camera"}': wire.Register("camera"),
    '{"type":"info","resolutions":"0:QQVGA(160x120),1:QCIF(176x144)","mode":"Estabilidad","fps":20}': wire.Info(
        "0:QQVGA(160x120),1:QCIF(176x144)", "Estabilidad", 20
    ),
    '{"type":"health","frames":12,"dropped":1,"heap":201344,"minHeap":180112,"rssi":-58,"uptime":"1h 2m 3s",'
    '"ip":"192.168.137.30","model":"OV3660","resolution":"XGA (1024x768)","quality":15}': wire.Health(
        frames=12,
        dropped=1,
        heap=201344,
        minHeap=180112,
        rssi=-58,
        ip="192.168.137.30",
        uptime="1h 2m 3s",
        model="OV3660",
        resolution="XGA (1024x768)",
        quality=15,
    ),
    '{"type":"response","cmd":"resolution","status":"ok","value":"8 (HD (1280x720))"}': wire.Response(
        "resolution", "ok", "8 (HD (1280x720))"
    ),
    '{"type":"response","cmd":"quality","status":"error","value":"valor no válido (5-63)"}': wire.Response(
        "quality", "error", "valor no válido (5-63)"
    ),
    '{"type":"response","cmd":"stats","status":"ok"}': wire.Response("stats", "ok"),
    '{"type":"response","cmd":"x","status":"error","value":"comando "x" desconocido"}': wire.Response(
        "x", "error", 'comando "x" desconocido'
    ),
    '{"type":"status","msg":"Dispositivo reiniciando..."}': wire.Said("Dispositivo reiniciando..."),
    '{"type":"frame_start","id":1,"size":20000}': wire.FrameStart(1, 20000),
    '{"type":"frame_end","id":1}': wire.FrameEnd(1),
    '{"type":"img_start","id":2,"size":41000,"chunks":41,"chunkSize":1024,"width":1024,"height":768}': wire.ImageStart(
        2, 41000, 41
    ),
    '{"type":"img_end","id":2,"size":41000,"success":true}': wire.ImageEnd(2, True),
    '{"type":"register","device":"camera","id":"garden","frames":["gkf1"]}': wire.Register(
        "camera", "garden", ("gkf1",)
    ),
}


@pytest.mark.parametrize("text", SEED)
def test_what_the_firmware_says_is_understood(text: str) -> None:
    assert wire.parse(text.encode()) == SEED[text]


@pytest.mark.parametrize(
    "text",
    [
        b"", b"null", b"[]", b"5", b"\xff\xfe", b"{}", b'{"type":5}', b'{"type":"nobody"}', b"[" * 10_000,
        b'{"type":"img_start","size":1e99}', b"x" * 1_000_000,
        b'{"type":"response","status":"ok"}', b'{"type":"register","id":5}',
    ],
)  # fmt: skip
def test_what_is_none_of_it_is_told_shortly(text: bytes) -> None:
    found = wire.parse(text)
    assert isinstance(found, wire.Unheard)
    assert len(found.text) <= wire.MAXIMUM_WORDS
    assert found.text == "" or found.text.isprintable()


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_that_comes_raises(text: bytes) -> None:
    wire.parse(text)


@given(
    st.dictionaries(
        st.sampled_from(["type", "id", "size", "chunks", "val", "cmd", "status"]), st.integers() | st.text()
    )
)
def test_no_object_raises(message: dict[str, object]) -> None:
    wire.parse(json.dumps(message).encode())


@pytest.mark.parametrize(
    ("uptime", "seconds"),
    [("1h 2m 3s", 3723.0), ("0h 0m 9s", 9.0), ("2d 1h 0m 0s", 176400.0), ("", None), ("soon", None), ("9" * 99, None)],
)
def test_the_uptime_is_read(uptime: str, seconds: float | None) -> None:
    assert wire.seconds(uptime) == seconds


def test_what_we_say_is_to_the_letter() -> None:
    assert json.loads(wire.registered(0.0, False)) == {
        "status": "ok",
        "message": "Camera registered",
        "server_time": "1970-01-01T00:00:00+00:00",
    }
    assert json.loads(wire.registered(0.0, True))["frames"] == "gkf1"
    assert wire.acknowledged(1.5) == b'{"type":"img_ack","status":"ready","timestamp":1.5}'
    command = b'{"type":"command","cmd":"resolution","val":"8","timestamp":1700000000.0}'
    assert wire.command("resolution", "8", 1_700_000_000.0) == command
