"""Cameras and doors as the configuration wants them, with what that refers to: secrets and files, as they stand now."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from gatekeeper import config


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a camera is made of; two are equal if nothing differs, be it only what a password's file holds.

    :ivar password: as read from its place, `token` likewise; None if there is none.
    :ivar path: of its video file.
    """

    camera: config.Camera
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    path: str | None = None

    @property
    def id(self) -> str:
        return self.camera.id

    @property
    def host(self) -> str | None:
        """The host that its address names; None of one that has no address."""
        camera = self.camera
        return urlsplit(camera.url or camera.snapshot or "").hostname

    @property
    def bare(self) -> "Wanted":
        """What matters to its connection: without the name, the doors that it is tied to, and what is made of it."""
        camera = msgspec.structs.replace(self.camera, name="", doors=(), pictures=None, feeds=())
        return Wanted(camera, self.password, self.token, self.path)


def wanted(site: config.Site, folder: Path) -> dict[str, Wanted]:
    """Return a configuration's cameras by id, in its order, with their secrets read.

    :param folder: what relative paths are relative to.
    :raises ConfigurationError: if a secret is missing.
    """
    return {camera.id: want(camera, f"cameras[{index}]", folder) for index, camera in enumerate(site.cameras)}


def want(camera: config.Camera, where: str, folder: Path) -> Wanted:
    """Return one camera with its secrets read; `where` is its key path, for errors.

    :raises ConfigurationError: if a secret is missing.
    """
    secret, token = camera.password, camera.push.token if camera.push is not None else None
    return Wanted(
        camera,
        password=secret.read(f"{where}.password", folder) if secret is not None else None,
        token=token.read(f"{where}.push.token", folder) if token is not None else None,
        path=str(config.resolve(folder, camera.video, f"{where}.video")) if camera.video is not None else None,
    )


@dataclass(frozen=True, slots=True)
class WantedDoor:
    """What a door is made of; two are equal if nothing differs, be it only what the key's file holds.

    :ivar key: of signed mode, 32 bytes; None if there is none.
    """

    door: config.Door
    key: bytes | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return self.door.id

    @property
    def bare(self) -> "WantedDoor":
        """What matters to its link: without the name."""
        return WantedDoor(msgspec.structs.replace(self.door, name=""), self.key)


def wanted_doors(site: config.Site, folder: Path) -> dict[str, WantedDoor]:
    """Return a configuration's doors by id, in its order, with their keys read.

    :param folder: what relative paths are relative to.
    :raises ConfigurationError: if a key is missing, or is none.
    """
    return {
        door.id: WantedDoor(door, config.read_key(door, f"doors[{index}]", folder))
        for index, door in enumerate(site.doors)
    }
