"""How a running site takes a new configuration: `reloading` decides what that changes, this carries it out.

    read, check, read secrets and certificates    whatever fails here changes nothing
    doors that change or go                       locked, waited for, their links closed
    cameras that change or go, then what is new   the rest is not touched
    everybody is told                             the record, the log, the pages

One reload at a time: another one waits, and reads the file when it is its turn.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredList, DeferredLock
from twisted.logger import Logger

from gatekeeper import changes, config
from gatekeeper.caller import Caller
from gatekeeper.doorways import Doorways
from gatekeeper.errors import Busy, ConfigurationError, GatekeeperError, NotReloaded
from gatekeeper.ports import Ports
from gatekeeper.reloading import Effect, Plan, Reloaded, applied, plan
from gatekeeper.source import Source
from gatekeeper.viewing import Viewing
from gatekeeper.wanted import Wanted, wanted, wanted_doors

MAXIMUM_WAITING: Final = 4  # reloads; each reads the whole file, so that the second already has what the fifth wants
STOPPING: Final = "the site is being stopped"
NO_FILE: Final = "the demo site has no configuration file: start gatekeeper with --config FILE for a site of your own"


class Renewing:
    """A site's configuration, as it is in effect.

    :param settings: what it was started with.
    :param source: its file; None for the demo site.
    :param told: called with the configuration after each reload.
    :param record: `Journal.record`.
    :param fingerprint_key: for what the record keeps of the configuration.
    :ivar settings: what is in effect.
    """

    log = Logger()

    def __init__(
        self,
        settings: config.Site,
        *,
        folder: Path,
        source: Source | None,
        viewing: Viewing,
        doorways: Doorways,
        ports: Ports,
        told: Callable[[config.Site], None],
        record: Callable[..., Any],
        fingerprint_key: Callable[[], bytes],
    ) -> None:
        self.source = source
        self._folder = folder
        self._viewing = viewing
        self._doorways = doorways
        self._ports = ports
        self._told = told
        self._record = record
        self._fingerprint_key = fingerprint_key
        self._effect = self._read(settings)
        self._turn = DeferredLock()
        self._ended = False

    @property
    def settings(self) -> config.Site:
        return self._effect.site

    @property
    def cameras(self) -> Mapping[str, Wanted]:
        """The cameras in effect, by id."""
        return self._effect.cameras

    def look(self, site: config.Site) -> None:
        """Pass if all that a configuration refers to is there.

        :raises ConfigurationError: if not.
        """
        self._read(site)

    @property
    def waits(self) -> bool:
        """Whether a reload waits that has not read the file yet."""
        return bool(self._turn.waiting)

    async def reload(self, caller: Caller) -> Reloaded:
        """Read the file again and take what it says.

        :raises NotReloaded: if it can't be used; the site runs on as it was, and the message says why.
        :raises Busy: if too many wait already.
        """
        if self._ended:
            raise NotReloaded(STOPPING)
        async with Turn(self._turn):
            return await self.take(caller)

    def stop(self) -> "Deferred[None]":
        """Take no configuration any more; fires when what is under way has ended."""
        self._ended = True
        idle: Deferred[None] = Deferred()
        self._turn.acquire().addCallback(lambda _: idle.callback(None))
        return idle

    def refused(self, caller: Caller, error: GatekeeperError) -> None:
        """Put on the record that somebody tried what they may not."""
        self._failed(caller, str(error), error.code)

    def turn(self) -> "Turn":
        """Return what keeps reloads away as long as it is held."""
        return Turn(self._turn)

    async def take(self, caller: Caller) -> Reloaded:
        """Take what the file says; for who holds the turn.

        :raises NotReloaded: if it can't be used.
        """
        try:
            after = self._load()
            todo = plan(self._effect, after)
            self._ports.renew(after.site)
        except ConfigurationError as error:
            self.log.error("not reloaded, the site runs on as it was: {error}", error=str(error))
            self._failed(caller, str(error), NotReloaded.code)
            raise NotReloaded(f"the site runs on as it was: {error}") from error
        if todo.doors.removed or todo.doors.changed:
            self.log.info("reloading: doors that change are locked first")
        await self._carry_out(todo, after)
        self._effect = Effect(applied(self.settings, after.site), after.cameras, after.doors, self._effect.secrets)
        self._told(self.settings)
        return self._done(caller, todo)

    # --- reading ---

    def _load(self) -> Effect:
        if self._ended:
            raise ConfigurationError(STOPPING)
        if self.source is None:
            raise ConfigurationError(NO_FILE)
        return self._read(self.source.load())

    def _read(self, site: config.Site) -> Effect:
        folder = self._folder
        return Effect(site, wanted(site, folder), wanted_doors(site, folder), config.secrets(site, folder))

    # --- doing ---

    async def _carry_out(self, todo: Plan, after: Effect) -> None:
        viewing, doorways = self._viewing, self._doorways
        await self._all(doorways.remove(door) for door in (*todo.doors.removed, *todo.doors.changed))
        await self._all(
            [
                *(viewing.remove(camera) for camera in todo.cameras.removed),
                *(viewing.change(after.cameras[camera]) for camera in todo.cameras.changed),
            ]
        )
        if self._ended:
            return  # what is new would be stopped at once, or not any more
        for camera in todo.cameras.renamed:
            viewing.rename(after.cameras[camera])
        for camera in todo.cameras.added:
            viewing.add(after.cameras[camera])
        for door in todo.doors.renamed:
            doorways.rename(after.doors[door].door)
        for door in (*todo.doors.changed, *todo.doors.added):
            doorways.add(after.doors[door])
        viewing.settle(list(after.cameras))
        doorways.settle(list(after.doors), after.site.cameras)

    async def _all(self, steps: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Take steps side by side; one that fails is told of, and keeps no other back."""
        for succeeded, result in await DeferredList(
            [Deferred.fromCoroutine(step) for step in steps], consumeErrors=True
        ):
            if not succeeded:
                self.log.failure("a part of the reload failed", result)

    # --- telling ---

    def _done(self, caller: Caller, todo: Plan) -> Reloaded:
        told = todo.told()
        text = f"{caller.name or 'gatekeeper'} reloaded the configuration: {todo.text()}"
        log = self.log.warn if todo.later else self.log.info
        log("reloaded: {text}", text=todo.text())
        fingerprints = changes.fingerprints(self.settings, self._fingerprint_key())
        details = {**told, "restart": list(todo.later), "configuration": fingerprints}
        event = self._record("system.reloaded", text, caller=caller, details=details)
        return Reloaded(
            added=told.get("added", []),
            removed=told.get("removed", []),
            changed=told.get("changed", []),
            restart=list(todo.later),
            text=todo.text(),
            event=event.id,
        )

    def _failed(self, caller: Caller, why: str, outcome: str) -> None:
        text = f"{caller.name or 'gatekeeper'} could not reload the configuration: {why}"
        self._record("system.reload_failed", text, caller=caller, outcome=outcome, reason=why)


class Turn:
    """One's turn with the configuration, to be held with `async with`.

    :raises Busy: if too many wait already.
    """

    def __init__(self, lock: DeferredLock) -> None:
        self._lock = lock

    async def __aenter__(self) -> None:
        if len(self._lock.waiting) >= MAXIMUM_WAITING:
            raise Busy("the configuration is being changed, and more wait for it: try again in a few seconds")
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
