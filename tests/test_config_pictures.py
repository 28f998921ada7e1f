"""What a camera's table may say of kept pictures and of feeds that are made of its own."""

import pytest

from gatekeeper import config
from gatekeeper.config_pictures import KeptPictures, SecondFeed
from gatekeeper.errors import ConfigurationError

CAMERA = '[[cameras]]\nid = "yard"\nurl = "http://192.168.137.20/stream"\n'
PUSH = '[[cameras]]\nid = "yard"\npush = {path = "/s3"}\n'


@pytest.mark.parametrize("camera", [CAMERA, PUSH])
def test_pictures_and_feeds_are_for_every_camera(camera: str) -> None:
    [found] = config.parse(
        camera
        + 'pictures = {every = 60, on = ["door.opened", "camera.sees_again"]}\n'
        + '[[cameras.feeds]]\nname = "small"\nwidth = 320\n[[cameras.feeds]]\nname = "stamped"\ntimestamp = true\n'
    ).cameras
    assert found.pictures == KeptPictures(every=60.0, on=("door.opened", "camera.sees_again"))
    assert found.feeds == (SecondFeed(name="small", width=320), SecondFeed(name="stamped", timestamp=True))


def test_without_them_nothing_is_kept_and_nothing_made() -> None:
    site = config.parse(CAMERA)
    assert (site.cameras[0].pictures, site.cameras[0].feeds) == (None, ())
    assert site.retention.snapshots == config.Kept(days=30, bytes=10_000_000_000)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("pictures = {every = 0.5}", r"cameras\[0\]\.pictures\.every: found 0\.5"),
        ('pictures = {on = ["system.started"]}', r"cameras\[0\]\.pictures\.on\[0\]"),
        ('pictures = {on = ["door"]}', r"cameras\[0\]\.pictures\.on\[0\]"),
        ("pictures = {evry = 5}", 'pictures.*"?evry"?.*every'),
        ('feeds = [{name = "Big"}]', r"cameras\[0\]\.feeds\[0\]\.name"),
        ('feeds = [{name = "a", width = 8}]', r"cameras\[0\]\.feeds\[0\]\.width: found 8"),
        ('feeds = [{name = "a", quality = 0}]', r"cameras\[0\]\.feeds\[0\]\.quality: found 0"),
        ('feeds = [{name = "a", maximum_fps = 0}]', r"cameras\[0\]\.feeds\[0\]\.maximum_fps"),
        ('feeds = [{name = "a"}, {name = "a"}]', r'cameras\[0\]\.feeds\[1\]\.name: "a" is already'),
        ("feeds = [{width = 320}]", r"cameras\[0\]\.feeds\[0\]"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(text: str, error: str) -> None:
    with pytest.raises(ConfigurationError, match=error):
        config.parse(CAMERA + text + "\n")
