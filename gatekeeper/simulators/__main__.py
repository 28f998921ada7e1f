"""One virtual device as a process: `python -m gatekeeper.simulators camera`, `push`, `laptop` or `lock`.

It prints `port <n>`, then obeys lines on its standard input and answers each with `ok …` or `error …`; it ends when
that is closed, so that it never outlives whoever started it.

    fault NAME      what is wrong from now on; `none` heals; (push) `fault NAME reconnect` or `reboot`: what ends it
    status          what it counted: connections, most open at once; camera: frames; lock: relay, commands heard
    press open|lock (lock) switch the relay behind everybody's back
    stray           (lock) open as if another client had ordered it
    second          (push) connect once more as the same camera
    cut | reset     (lock, push) end every connection, with a FIN or a RST
    quit
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet import asyncioreactor, stdio
from twisted.protocols.basic import LineReceiver


class _Console(LineReceiver):
    delimiter = b"\n"

    def __init__(self, device: Any, reactor: Any, controls: dict[str, Callable[[list[str]], object]]) -> None:
        self._device = device
        self._reactor = reactor
        self._controls = controls

    def connectionMade(self) -> None:
        self.sendLine(f"port {self._device.port}".encode())

    def lineReceived(self, line: bytes) -> None:
        name, *words = line.decode("utf-8", "replace").split() or [""]
        if name == "quit":
            self._reactor.stop()
            return
        try:
            answer = self._controls[name](words)
        except (KeyError, ValueError, IndexError) as error:
            self.sendLine(f"error {name}: {error}".encode())
        else:
            self.sendLine(f"ok {json.dumps(answer) if answer is not None else ''}".rstrip().encode())

    def connectionLost(self, reason: object = None) -> None:
        if self._reactor.running:
            self._reactor.stop()


def _camera(reactor: Any, wanted: argparse.Namespace) -> tuple[Any, dict[str, Callable[[list[str]], object]]]:
    from gatekeeper.simulators.camera import CameraFault, VirtualCamera  # noqa: PLC0415 - after the reactor

    camera = VirtualCamera(reactor, port=wanted.port, fps=wanted.fps, seed=wanted.seed, serve_all=wanted.serve_all)
    camera.fault = CameraFault(wanted.fault)

    def fault(words: list[str]) -> None:
        camera.fault = CameraFault(words[0])

    def status(words: list[str]) -> dict[str, int]:
        return {
            "connections": camera.connections,
            "most_open": camera.most_open,
            "streaming": camera.streaming,
            "frames": camera.frames_sent,
        }

    return camera, {"fault": fault, "status": status}


def _own_push(reactor: Any, wanted: argparse.Namespace) -> tuple[Any, dict[str, Callable[[list[str]], object]]]:
    from gatekeeper.simulators.camera_faults import CameraFault  # noqa: PLC0415 - after the reactor
    from gatekeeper.simulators.own_push_camera import VirtualOwnPushCamera  # noqa: PLC0415

    boot = {"resolution": wanted.resolution, "mode": int(not wanted.speed)}
    camera = VirtualOwnPushCamera(
        reactor, wanted.url, control=wanted.control, name=wanted.name or "", seed=wanted.seed, boot=boot
    )

    def fault(words: list[str]) -> None:
        camera.refuses = words[0] == "unwilling"
        camera.fault = CameraFault.NONE if camera.refuses else CameraFault(words[0])

    def status(words: list[str]) -> dict[str, Any]:
        device = camera.device
        return {
            "connections": camera.connections,
            "frames": device.frames,
            "dropped": device.dropped,
            "framed": device.is_framed,
            "settings": device.settings,
        }

    fault([wanted.fault])
    return camera, {
        "fault": fault,
        "status": status,
        "cut": lambda words: camera.cut(),
        "reset": lambda words: camera.cut(reset=True),
    }


def _push(reactor: Any, wanted: argparse.Namespace) -> tuple[Any, dict[str, Callable[[list[str]], object]]]:
    if wanted.own:
        return _own_push(reactor, wanted)
    from gatekeeper.simulators.push_camera import Cure, PushDevice, PushFault, VirtualPushCamera  # noqa: PLC0415

    device = PushDevice(wanted.name, framed=wanted.framed, speed=wanted.speed, resolution=wanted.resolution)
    camera = VirtualPushCamera(
        reactor, wanted.url, device, control=wanted.control, seed=wanted.seed, redial=wanted.redial
    )
    device.fault = PushFault(wanted.fault)

    def fault(words: list[str]) -> None:
        device.cure = Cure(words[1]) if len(words) > 1 else Cure.NONE
        camera.fault = PushFault(words[0])

    def status(words: list[str]) -> dict[str, Any]:
        return {
            "connections": camera.connections,
            "closed": list(camera.closed),
            "frames": device.frames,
            "framed": device.is_framed,
            "settings": device.settings,
            "commands": device.commands,
        }

    controls: dict[str, Callable[[list[str]], object]] = {
        "fault": fault,
        "status": status,
        "second": lambda words: camera.second(),
        "cut": lambda words: camera.cut(),
        "reset": lambda words: camera.cut(reset=True),
    }
    return camera, controls


def _laptop(reactor: Any, wanted: argparse.Namespace) -> tuple[Any, dict[str, Callable[[list[str]], object]]]:
    from gatekeeper.simulators.laptop import LaptopFault, VirtualLaptop  # noqa: PLC0415 - after the reactor

    laptop = VirtualLaptop(reactor, wanted.team, wanted.url, rate=wanted.rate, always=wanted.always)
    laptop.fault = LaptopFault(wanted.fault)

    def fault(words: list[str]) -> None:
        laptop.fault = LaptopFault(words[0])

    def status(words: list[str]) -> dict[str, int]:
        return {"connections": laptop.connections, "sent": laptop.sent, "errors": laptop.errors}

    return laptop, {"fault": fault, "status": status}


def _lock(reactor: Any, wanted: argparse.Namespace) -> tuple[Any, dict[str, Callable[[list[str]], object]]]:
    from gatekeeper.simulators.lock import VirtualLock  # noqa: PLC0415 - after the reactor
    from gatekeeper.simulators.lock_device import LockFault  # noqa: PLC0415
    from gatekeeper.simulators.own_lock_faults import FaultyOwnLock  # noqa: PLC0415

    key = bytes.fromhex(os.environ[wanted.key_env]) if wanted.key_env is not None else None
    lock = VirtualLock(
        reactor,
        wanted.port,
        device=FaultyOwnLock(key) if wanted.own or key is not None else None,
        result_delay=wanted.result_delay,
        acknowledge_delay=wanted.acknowledge_delay,
    )
    lock.device.fault = LockFault(wanted.fault)

    def fault(words: list[str]) -> None:
        lock.fault = LockFault(words[0])

    def status(words: list[str]) -> dict[str, Any]:
        return {
            "relay": lock.device.relay,
            "connections": lock.connections,
            "open": lock.open_now,
            "most_open": lock.most_open,
            "commands": [text for _, text in lock.device.commands][-200:],
        }

    controls: dict[str, Callable[[list[str]], object]] = {
        "fault": fault,
        "status": status,
        "press": lambda words: lock.press({"open": True, "lock": False}[words[0]]),
        "stray": lambda words: lock.stray_open(),
        "cut": lambda words: lock.cut(reset=False),
        "reset": lambda words: lock.cut(reset=True),
    }
    return lock, controls


DEVICES = {"camera": _camera, "push": _push, "laptop": _laptop, "lock": _lock}


def main(arguments: list[str]) -> None:
    """Run one device until its standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m gatekeeper.simulators", description="A virtual device.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    camera, lock = kinds.add_parser("camera"), kinds.add_parser("lock")
    push, laptop = kinds.add_parser("push"), kinds.add_parser("laptop")
    for kind in (camera, lock):
        kind.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    for kind in (camera, lock, push, laptop):
        kind.add_argument("--fault", default="none")
    push.add_argument("--url", default="ws://127.0.0.1:6972/", help="where it connects to, with its path")
    push.add_argument("--control", help="where it takes commands, if not on the same socket")
    push.add_argument("--name", help="what it registers as; the seed's firmware has no name")
    push.add_argument("--framed", action="store_true", help="knows the framed mode")
    push.add_argument("--own", action="store_true", help="with our own firmware, not the seed's")
    push.add_argument("--speed", action="store_true", help="start in speed mode, not in the slow stability mode")
    push.add_argument("--resolution", type=int, default=7, choices=range(13))
    push.add_argument("--redial", type=float, default=3.0, help="seconds between tries to connect")
    push.add_argument("--seed", type=int, default=3)
    laptop.add_argument("--url", default="ws://127.0.0.1:8080/", help="where it connects to, with a token")
    laptop.add_argument("--team", type=int, default=1)
    laptop.add_argument("--rate", type=float, default=20.0, help="samples a second")
    laptop.add_argument("--always", action="store_true", help="send also while no session runs, as the real ones do")
    camera.add_argument("--fps", type=float, default=12.5)
    camera.add_argument("--seed", type=int, default=1)
    camera.add_argument("--serve-all", action="store_true", help="serve every client at once, which the real one can't")
    lock.add_argument("--result-delay", type=float, default=0.0125, help="seconds from a command to its OK:")
    lock.add_argument("--acknowledge-delay", type=float, default=0.108, help="seconds from a command to its ACK:")
    lock.add_argument("--own", action="store_true", help="our own firmware, not the seed's")
    lock.add_argument("--key-env", metavar="NAME", help="our own firmware, with the key in this environment variable")
    wanted = parser.parse_args(arguments)
    asyncioreactor.install()
    from twisted.internet import reactor  # noqa: PLC0415 - installed just above

    device, controls = DEVICES[wanted.kind](reactor, wanted)
    run: Any = reactor
    device.startService()
    run.addSystemEventTrigger("before", "shutdown", device.stopService)
    stdio.StandardIO(_Console(device, run, controls))
    run.run()


if __name__ == "__main__":
    main(sys.argv[1:])
