"""What `twistd gatekeeper` runs: options in, a service out. Picks the reactor and the clock, nothing else.

Nothing at the top of this module may import a reactor, Klein above all: the asyncio reactor must be installed first.
"""

import gc
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger
from twisted.python import usage

from gatekeeper import __version__, config
from gatekeeper.caller import ITSELF
from gatekeeper.errors import ConfigurationError, NotReloaded
from gatekeeper.source import Source


class Options(usage.Options):
    """The command line of `twistd gatekeeper`."""

    synopsis = "[options]"
    longdesc = (
        "Watch cameras and work doors. Without a configuration file this is a demo site of virtual devices on "
        "loopback ports, with its page at http://127.0.0.1:8000."
    )
    optParameters = [
        ["config", "c", None, f"Configuration file in TOML; ./{config.DEFAULT_FILE} if that exists."],
        ["data", "d", None, "Folder for what outlives a restart; overrides the configuration."],
        ["listen", "l", None, "Endpoint to serve on, such as tcp:8000 or ssl:8443; overrides the configuration."],
    ]
    optFlags = [
        ["check", None, "Check the configuration and exit."],
        ["demo", None, "Run the demo site although there is a configuration file."],
    ]

    def opt_version(self) -> None:
        """Show the version and exit."""
        sys.stdout.write(f"gatekeeper {__version__}\n")
        sys.exit(0)

    def postOptions(self) -> None:
        """Read the configuration: what is wrong with it must be known before anything starts."""
        try:
            site = self.load()
            self.look(site)
            if self["check"]:
                self._check(site)
        except ConfigurationError as error:
            raise SystemExit(f"gatekeeper: {error}") from error
        self["site"] = site

    def look(self, site: config.Site | None) -> None:
        """Read every secret and certificate, to learn whether each is there and can be used.

        :raises ConfigurationError: naming the first that isn't or can't.
        """
        from gatekeeper.listening import certificates  # noqa: PLC0415 - cryptography takes a while to import

        if site is not None:
            config.read_secrets(site, self.folder)
            certificates(site.places, self.folder, config.resolve(self.folder, site.data, "data"))

    def load(self) -> config.Site | None:
        """Return the configuration, or None for the demo site.

        :raises ConfigurationError: if it can't be used.
        """
        if self["demo"]:
            return None
        file = Path(self["config"] or config.DEFAULT_FILE)
        if self["config"] is None and not file.exists():
            return None
        return self.overridden(config.load(file))

    def overridden(self, site: config.Site) -> config.Site:
        """Return the configuration with what the command line says instead."""
        return config.override(site, data=self["data"], listen=self["listen"])

    @property
    def source(self) -> Source:
        """The configuration file, to be read again."""
        return Source(Path(self["config"] or config.DEFAULT_FILE), self.overridden)

    @property
    def folder(self) -> Path:
        """What the configuration's relative paths are relative to."""
        return Path(self["config"]).parent if self["config"] else Path()

    def _check(self, site: config.Site | None) -> None:
        if site is None:
            raise ConfigurationError(
                f"there is no configuration file to check: no --config, no ./{config.DEFAULT_FILE}"
            )
        sys.stdout.write(f"the configuration is good: {len(site.cameras)} cameras, {len(site.doors)} doors\n")
        sys.exit(0)


class _Patience:
    """What SIGTERM and SIGINT do: the first stops the site, the second changes nothing, the third ends it at once.

    Supervisors send more than one, and people press Ctrl+C again; the doors are to be locked all the same.
    """

    log = Logger()

    def __init__(self) -> None:
        self._first: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._arrived = 0

    def install(self) -> None:
        """Stand in front of the reactor's own handlers; a signal that is ignored stays so."""
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = signal.getsignal(number)
            if callable(handler):
                self._first[number] = handler
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._arrived += 1
        if self._arrived == 1:
            self._first[number](number, frame)
        elif self._arrived == 2:
            self.log.warn("is stopping already, doors first; a third signal ends it at once, whatever stands open")
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


class Gatekeeper(Service):
    """The running site; SIGHUP has it read its configuration again."""

    log = Logger()

    def __init__(self, options: Options, reactor: Any) -> None:
        self._options = options
        self._reactor = reactor
        self._devices: Any = None
        self._site: Any = None
        self._hangup: Any = None

    def privilegedStartService(self) -> None:
        """Take the port, or leave with one line that says why."""
        super().privilegedStartService()
        try:
            self._make(self._options["site"])
        except ConfigurationError as error:
            raise SystemExit(f"gatekeeper: {error}") from error

    def startService(self) -> None:
        super().startService()
        self._site.startService()
        gc.collect()
        gc.freeze()  # what is loaded now stays: a full collection would hold a door call for tens of milliseconds
        self._reactor.callWhenRunning(_Patience().install)  # the reactor takes its signals when it runs
        if hasattr(signal, "SIGHUP"):
            self._hangup = signal.signal(signal.SIGHUP, self._on_hangup)

    @inlineCallbacks
    def stopService(self) -> Any:
        super().stopService()
        if self._hangup is not None:
            signal.signal(signal.SIGHUP, self._hangup)
        if self._site is not None:
            yield self._site.stopService()
        if self._devices is not None:
            yield self._devices.stopService()

    def _make(self, settings: config.Site | None) -> None:
        from gatekeeper.site import Site  # noqa: PLC0415 - imports Klein, and that a reactor

        demo = settings is None
        source = self._options.source if settings is not None else None
        if settings is None:
            settings = self._options.overridden(self._demo())
        site = Site(settings, self._options.folder, self._reactor, demo=demo, source=source)
        site.privilegedStartService()
        if demo:
            self._devices.dial(site.push_port, site.measuring_port)
        self._site = site

    def _demo(self) -> config.Site:
        from gatekeeper.simulators.demo import DemoDevices  # noqa: PLC0415 - only where it is wanted

        if self._devices is None:
            self._devices = DemoDevices(self._reactor)
            self._devices.startService()
        demo: config.Site = self._devices.site()
        return demo

    # --- reload ---

    def _on_hangup(self, number: int, frame: object) -> None:
        self._reactor.callFromThread(self.reload)

    def reload(self) -> None:
        """Have the site read its configuration again; a wrong one changes nothing."""
        if not self.running or self._site.renewing.waits:
            return  # what waits reads the file when it is its turn
        reloading = Deferred.fromCoroutine(self._site.renewing.reload(ITSELF))
        reloading.addErrback(lambda failure: failure.trap(NotReloaded))  # which has been said
        reloading.addErrback(lambda failure: self.log.failure("the reload met an error of ours", failure))


def makeService(options: Options) -> IService:
    """Return the service; installs the asyncio reactor unless another is installed already."""
    _install_reactor()
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one, so after ours

    if not hasattr(reactor, "_asyncioEventloop"):
        Gatekeeper.log.warn(
            "runs on {reactor}, which was installed before gatekeeper could choose asyncio's: cameras and doors work; "
            "libraries that need asyncio are off",
            reactor=type(reactor).__name__,
        )
    return Gatekeeper(options, reactor)


def _install_reactor() -> None:
    if "twisted.internet.reactor" in sys.modules:
        return
    from twisted.internet import asyncioreactor  # noqa: PLC0415 - not before it is known to be wanted

    try:
        import uvloop  # noqa: PLC0415 - optional: where it doesn't exist, asyncio's own loop does
    except ImportError:
        asyncioreactor.install()
    else:
        asyncioreactor.install(uvloop.new_event_loop())
