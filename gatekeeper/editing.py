"""Cameras added, changed and removed by who may, in the configuration file; a reload does the rest.

    take a turn -> rewrite the text -> check the whole -> read its secrets -> write the file -> reload

Whatever fails before the file is written leaves it as it was; if the reload fails, the text before is written back.
A password is given here in the clear, and stands in a file of the data folder from then on; the configuration says
where.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from twisted.logger import Logger

from gatekeeper import config, decoding
from gatekeeper.caller import Caller
from gatekeeper.errors import ConfigurationError, Conflict, GatekeeperError, InvalidArgument, NoSuchCamera, NotReloaded
from gatekeeper.reloading import Reloaded
from gatekeeper.renewing import NO_FILE, Renewing
from gatekeeper.rewriting import added, changed, removed
from gatekeeper.source import Source
from gatekeeper.tried import Tried
from gatekeeper.trying import Trying
from gatekeeper.wanted import Wanted

FOLDER: Final = "secrets"  # of the data folder: passwords and tokens of cameras, a file each
LONGEST: Final = 200  # characters of a password or token
PLACEHOLDER: Final = {"file": "given"}  # stands for a secret that was given, where only the form is checked

KEPT: Final = " token"  # a key that no configuration has: where the token stands that is to stay


class Editing:
    """The cameras of a configuration file.

    :param renewing: the configuration in effect, and whose turn it is.
    :param folder: what relative paths of the configuration are relative to.
    :param data: the data folder.
    :param trying: tries addresses.
    :param record: `Journal.record`.
    """

    log = Logger()

    def __init__(
        self, renewing: Renewing, *, folder: Path, data: Path, trying: Trying, record: Callable[..., Any]
    ) -> None:
        self._renewing = renewing
        self._folder = folder
        self._data = data
        self._trying = trying
        self._record = record

    async def add(self, caller: Caller, given: Mapping[str, Any]) -> Reloaded:
        """Add a camera.

        :param given: a camera's table, its password and token as text.
        :raises InvalidArgument: if the configuration with it can't be used; the message says why.
        """
        name = _id(given)

        def rewrite(text: str, keys: dict[str, Any]) -> str:
            if name in self._cameras:
                raise Conflict(f'there is a camera "{name}" already; give another id')
            return added(text, {"id": name, **keys})

        return await self._edit("added", caller, name, given, rewrite)

    async def change(self, caller: Caller, camera: str, given: Mapping[str, Any]) -> Reloaded:
        """Change keys of a camera; one that is given as None is taken out, and has its default again.

        :raises NoSuchCamera: if there is none of this id.
        """
        known = self._find(camera)
        if "id" in given and given["id"] != camera:
            raise InvalidArgument("id: can't be changed; add the camera under another id and remove this one")
        keys = _without_rivals({key: value for key, value in given.items() if key != "id"})
        if isinstance(keys.get("push"), Mapping):
            keys["push"] = {key: value for key, value in keys["push"].items() if key != KEPT}
        push, before = keys.get("push"), known.camera.push
        if isinstance(push, Mapping) and "token" not in push and before is not None and before.token is not None:
            place = {key: value for key, value in msgspec.to_builtins(before.token).items() if value is not None}
            keys["push"] = {**push, KEPT: place}
        if known.password is not None and "password" not in keys and _host(keys) not in (None, known.host):
            raise InvalidArgument("password: give it again, since the address leads to another host")
        if keys.get("username", known.camera.username) is None and known.password is not None:
            keys.setdefault("password", None)
        return await self._edit("changed", caller, camera, keys, lambda text, keys: changed(text, camera, keys))

    async def remove(self, caller: Caller, camera: str) -> Reloaded:
        """Remove a camera.

        :raises NoSuchCamera: if there is none of this id.
        """
        self._find(camera)
        return await self._edit("removed", caller, camera, {}, lambda text, _: removed(text, camera))

    async def try_(self, caller: Caller, given: Mapping[str, Any]) -> Tried:
        """Connect to a camera once, in bounded time, and tell what came of it; nothing is kept.

        :param given: as for `add`; where it names a camera that there is, its password is meant if none is given.
        """
        name = str(given.get("id") or "new-camera")
        keys = {key: value for key, value in given.items() if key not in ("id", "name", "doors") and value is not None}
        texts, keys = _apart(keys)
        table = {**keys, **({"password": PLACEHOLDER} if "password" in texts else {})}
        if "token" in texts:
            table["push"] = {**keys["push"], "token": PLACEHOLDER}
        known = self._cameras.get(name)
        password = texts.get("password")
        if known is not None and password is None and table.get("username") is not None:
            if _host(keys) != known.host:
                raise InvalidArgument("password: give it again, since the address leads to another host")
            password, table["password"] = known.password, PLACEHOLDER
        try:
            site = config.check({"listen": self._renewing.settings.listen, "cameras": [{"id": "try", **table}]})
        except ConfigurationError as error:
            raise InvalidArgument(_plainly(error, 0)) from error
        tried = await self._trying.run(Wanted(site.cameras[0], password, texts.get("token")))
        self.log.info("{caller} tried a camera: {what}", caller=str(caller), what=tried.reason or "a picture came")
        return tried

    def refused(self, caller: Caller, error: GatekeeperError, what: str, camera: str | None = None) -> None:
        """Put on the record that somebody tried what they may not."""
        known = camera if camera in self._cameras else None
        text = f"{caller} could not have a camera {what}: {error}"
        self._record("camera.edit_failed", text, subject=known, caller=caller, outcome=error.code, reason=str(error))

    # --- the file ---

    async def _edit(
        self,
        what: str,
        caller: Caller,
        camera: str,
        given: Mapping[str, Any],
        rewrite: Callable[[str, dict[str, Any]], str],
    ) -> Reloaded:
        source = self._renewing.source
        if source is None:
            raise Conflict(NO_FILE)
        texts, keys = _apart(given)
        async with self._renewing.turn():
            before = self._files(camera)
            written = self._keep(camera, texts, keys)
            try:
                reloaded = await self._write(source, caller, rewrite, keys)
            except BaseException:
                _forget(written)
                raise
            _forget(before - self._files(camera))
        text = f"{caller} {what} camera {camera}"
        self._record(f"camera.{what}", text, subject=camera, caller=caller, cause=reloaded.event)
        self.log.info("{text}", text=text)
        return reloaded

    async def _write(
        self, source: Source, caller: Caller, rewrite: Callable[[str, dict[str, Any]], str], keys: dict[str, Any]
    ) -> Reloaded:
        try:
            before = source.text()
            after = rewrite(before, keys)
            self._renewing.look(source.check(after))
            source.write(before, after)
        except ConfigurationError as error:
            place = len(self._cameras)
            raise InvalidArgument(_plainly(error, place, str(source.file))) from error
        try:
            return await self._renewing.take(caller)
        except NotReloaded:
            source.write(after, before)
            raise

    # --- secrets ---

    def _keep(self, camera: str, texts: Mapping[str, str], keys: dict[str, Any]) -> set[Path]:
        """Put secrets into files, and where they are into the keys."""
        written: set[Path] = set()
        for kind, text in texts.items():
            folder = self._data / FOLDER
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = folder / f"camera-{camera}-{secrets.token_hex(4)}.{kind}"
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as output:
                output.write(text)
                output.flush()
                os.fsync(output.fileno())
            written.add(file)
            place = {"file": self._named(file)}
            if kind == "password":
                keys["password"] = place
            else:
                keys["push"] = {**keys["push"], "token": place}
        return written

    def _named(self, file: Path) -> str:
        """Return a file's path as the configuration has it: relative where that leads nowhere up."""
        whole, folder = file.resolve(), self._folder.resolve()
        return whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else str(whole)

    def _files(self, camera: str) -> set[Path]:
        """Return the files in our folder that hold a camera's secrets, as the configuration in effect has them."""
        known = self._cameras.get(camera)
        held = [known.camera.password] if known is not None else []
        if known is not None and known.camera.push is not None:
            held.append(known.camera.push.token)
        files = {(self._folder / one.file).resolve() for one in held if one is not None and one.file is not None}
        return {file for file in files if file.parent == (self._data / FOLDER).resolve()}

    # --- cameras ---

    @property
    def _cameras(self) -> Mapping[str, Wanted]:
        return self._renewing.cameras

    def _find(self, camera: str) -> Wanted:
        known = self._cameras.get(camera)
        if known is None:
            raise NoSuchCamera(f'there is no camera "{camera[:40]}"; there are: {", ".join(self._cameras) or "none"}')
        return known


def _id(given: Mapping[str, Any]) -> str:
    name = given.get("id")
    if not isinstance(name, str):
        raise InvalidArgument(f"id: found {decoding.kind_of(name)}; allowed: text")
    return name


def _apart(given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the secrets by kind, and the other keys; a camera's file and other places of secrets are not taken.

    :raises InvalidArgument: if a secret is no text, or the camera is a file.
    """
    keys = {key: value for key, value in given.items() if key != "id"}
    if keys.get("video") is not None:
        raise InvalidArgument("video: is not taken here: a file of this machine is named in the configuration itself")
    texts: dict[str, str] = {}
    if keys.get("password") is not None:
        texts["password"] = _secret("password", keys.pop("password"))
    push = keys.get("push")
    if isinstance(push, Mapping):
        keys["push"] = {key: value for key, value in push.items() if key not in ("token", KEPT) and value is not None}
        if KEPT in push:
            keys["push"]["token"] = push[KEPT]
        if push.get("token") is not None:
            texts["token"] = _secret("push.token", push["token"])
    return texts, keys


def _secret(key: str, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or "\n" in value or "\r" in value:
        raise InvalidArgument(f"{key}: found {decoding.kind_of(value)}; allowed: text of 1 to {LONGEST} characters")
    return value


def _without_rivals(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys with the other ways to a picture taken out, where a new way is given."""
    ways = ("url", "snapshot", "video", "push")
    given = [way for way in ways if keys.get(way) is not None]
    return {**({way: None for way in ways if way not in given} if given else {}), **keys}


def _host(keys: Mapping[str, Any]) -> str | None:
    address = keys.get("url") or keys.get("snapshot")
    try:
        return urlsplit(address).hostname if isinstance(address, str) else None
    except ValueError:
        return None


def _plainly(error: ConfigurationError, place: int, file: str = "") -> str:
    """Return what is wrong with what was given, without where it would stand."""
    return str(error).removeprefix(f"{file}: ").removeprefix(f"cameras[{place}].").removeprefix(f"cameras[{place}]: ")


def _forget(files: set[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
