"""Samples per second stored, acknowledged and shown: eight senders, fifty pages, a real site; beside a commit each.

python -m tests.bench.samples [--rounds 3] [--seconds 5] [--pages 50] [--rates 480,10000]

The site is a process of its own (`twistd`, SQLite on a real disk, every commit synced). Eight connections send numbered
samples, one per message as the seed's laptops do, at an even pace that doesn't wait for answers; fifty pages hear
`new_data` and are read, one of them looks for when each sample came. "end to end" is from the moment at which a sample
was due to be sent until that page has it: stored, acknowledged and shown. The reactor's delay is how late a call each
5 ms comes, told by a probe inside the site's process. "a commit each" is the same site with one sample in a transaction
(`BATCH = 1`), in turns with the other, at the highest rate that is asked for: what it keeps up is the comparison.
"""

import argparse
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from gatekeeper.measurements.client_side import ClientSide, address_of
from tests.bench.processes import ROOT
from tests.bench.storage import quantile
from tests.wamp.wire import masked, take_frames

SENDERS = 8
TICK = 0.005
WARM_UP = 1.0

PROBE = """
import json, os, sys, time
from gatekeeper import tap
tap._install_reactor()
from twisted.internet import reactor
from gatekeeper.measurements import intake
intake.BATCH = int(os.environ["BENCH_BATCH"])
delays = []
def tick(due):
    now = time.perf_counter()
    delays.append((now - due) * 1e3)
    reactor.callLater(max(0.0, due + 0.005 - time.perf_counter()), tick, due + 0.005)
def told(*_):
    values = sorted(delays)
    at = lambda part: values[min(int(len(values) * part), len(values) - 1)]
    cpu = time.process_time()
    with open("probe.json", "w") as file:
        json.dump({"p50": at(.5), "p99": at(.99), "longest": values[-1], "cpu": cpu}, file)
    os.replace("probe.json", "probe.done")
def forget(*_):
    delays.clear()
import signal
reactor.callWhenRunning(lambda: (signal.signal(signal.SIGUSR1, forget), signal.signal(signal.SIGUSR2, told)))
reactor.callWhenRunning(tick, time.perf_counter())
from twisted.scripts.twistd import run
sys.argv = ["twistd", "-n", "--pidfile=", "gatekeeper", "--config", "site.toml"]
run()
"""


@dataclass(frozen=True, slots=True)
class Found:
    """One measurement: samples per second, milliseconds, CPU of the site in percent and in us of each sample."""

    sent: float
    stored: float
    shown: float
    p50: float
    p99: float
    longest: float
    tick_p50: float
    tick_p99: float
    tick_longest: float
    cpu: float
    each: float


def opened(port: int) -> socket.socket:
    """Connect, and shake hands."""
    sock = socket.create_connection(("127.0.0.1", port), 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client = ClientSide(address_of(f"ws://127.0.0.1:{port}/"))
    sock.sendall(client.out)
    while not client.is_open:
        client.feed(sock.recv(1))  # one by one: what comes behind the handshake is for whoever reads frames
    return sock


class Pages(threading.Thread):
    """Reads what all pages and senders are told; one page is looked into, and the senders' acknowledgements counted."""

    def __init__(self, pages: Sequence[socket.socket], senders: Sequence[socket.socket]) -> None:
        super().__init__(daemon=True)
        self.pages, self.senders = pages, senders
        self.came: dict[tuple[int, float], float] = {}
        self.acknowledged = 0
        self.octets = 0
        self.ended = False

    def run(self) -> None:
        """Read until the end."""
        poll = select.epoll()
        by_number = {sock.fileno(): sock for sock in (*self.pages, *self.senders)}
        for sock in by_number.values():
            sock.setblocking(False)
            poll.register(sock, select.EPOLLIN)
        looked = self.pages[0].fileno()
        senders = {sock.fileno() for sock in self.senders}
        rest = dict.fromkeys((*senders, looked), b"")
        waste = bytearray(1 << 18)
        while not self.ended:
            for number, _ in poll.poll(0.1):
                sock = by_number[number]
                if number != looked and number not in senders:
                    self.octets += _read_into(sock, waste)
                    continue
                data = _read(sock)
                now = time.perf_counter()
                found, rest[number] = take_frames(rest[number] + data)
                if number in senders:
                    for _, text in found:
                        if text.startswith(b'{"type":"ack"'):
                            self.acknowledged += text.count(b",") - 2
                    continue
                for _, text in found:
                    if text.startswith(b'{"type":"new_data"'):
                        for one in json.loads(text)["data"]:
                            self.came[one["laptop_id"], one["dista"]] = now


def _read(sock: socket.socket) -> bytes:
    try:
        return sock.recv(1 << 18)
    except ConnectionError:
        return b""


def _read_into(sock: socket.socket, waste: bytearray) -> int:
    try:
        return sock.recv_into(waste)
    except ConnectionError:
        return 0


def site(folder: Path, batch: int) -> tuple[subprocess.Popen[bytes], int, int]:
    """Start a site; return its process, the seed's port and that for HTTP."""
    ports = []
    for _ in range(2):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            ports.append(int(sock.getsockname()[1]))
    (folder / "site.toml").write_text(
        f'listen = "tcp:{ports[1]}:interface=127.0.0.1"\n[access]\nadmin_token = {{env = "BENCH_TOKEN"}}\n'
        f'[measurements]\nlisten = "tcp:{ports[0]}:interface=127.0.0.1"\nduration = 600\n'
        "open_sending = true\nopen_viewing = true\nmaximum_connections = 1000\n"
    )
    env = {
        **os.environ,
        "BENCH_BATCH": str(batch),
        "BENCH_TOKEN": "bench-token-of-some-length",
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROBE], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    while b"/login" not in process.stdout.readline():
        if process.poll() is not None:
            raise SystemExit("the site did not start")
    threading.Thread(target=process.stdout.read, daemon=True).start()
    return process, ports[0], ports[1]


def begin(port: int) -> None:
    """Start a session."""
    import urllib.request

    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/measurements/start",
        b'{"frequency": 2.5}',
        {"Content-Type": "application/json", "Authorization": "Bearer bench-token-of-some-length"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def measure(rate: int, seconds: float, pages: int, batch: int) -> Found:
    """Measure one site at one rate."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process, port, http = site(folder, batch)
        try:
            senders = [opened(port) for _ in range(SENDERS)]
            hearing = Pages([opened(port) for _ in range(pages)], senders)
            begin(http)
            hearing.start()
            return _run(process, folder, hearing, rate, seconds)
        finally:
            hearing.ended = True
            process.send_signal(signal.SIGKILL)
            process.wait()
            for sock in (*hearing.pages, *hearing.senders):
                sock.close()


def _run(process: Any, folder: Path, hearing: Pages, rate: int, seconds: float) -> Found:
    due: dict[tuple[int, float], float] = {}
    total = int(rate * (WARM_UP + seconds))
    began = time.perf_counter() + 0.2
    number, measuring, cpu = 0, False, 0.0
    stored = shown = 0
    while number < total:
        now = time.perf_counter()
        if not measuring and now - began >= WARM_UP:
            measuring = True
            process.send_signal(signal.SIGUSR1)
            stored, shown, cpu = hearing.acknowledged, len(hearing.came), _cpu(process.pid)
        ready = min(total, int((now - began) * rate))
        if ready <= number:
            time.sleep(0.002)
            continue
        out: list[bytearray] = [bytearray() for _ in range(SENDERS)]
        for one in range(number, ready):
            team = one % SENDERS
            text = (
                f'{{"type":"camera_data","laptop_id":{team + 1},"dista":{one},"distb":3.456,"is_a_detected":true,'
                f'"is_b_detected":true,"sender":"s","seq":{one}}}'
            )
            out[team] += masked(text.encode(), binary=False)
            due[team + 1, float(one)] = began + one / rate
        number = ready
        for team, data in enumerate(out):
            _send_all(hearing.senders[team], data)
    took = time.perf_counter() - began - WARM_UP
    stored, shown = hearing.acknowledged - stored, len(hearing.came) - shown
    used = _cpu(process.pid) - cpu
    process.send_signal(signal.SIGUSR2)
    until = time.monotonic() + 5
    while not (folder / "probe.done").exists() and time.monotonic() < until:
        time.sleep(0.01)
    probe = json.loads((folder / "probe.done").read_text())
    time.sleep(0.5)
    hearing.ended = True
    hearing.join(5)
    late = sorted((came - due[key]) * 1e3 for key, came in hearing.came.items() if due[key] >= began + WARM_UP)
    return Found(
        sent=rate * seconds / took,
        stored=stored / took,
        shown=shown / took,
        p50=quantile(late, 0.5),
        p99=quantile(late, 0.99),
        longest=quantile(late, 1.0),
        tick_p50=probe["p50"],
        tick_p99=probe["p99"],
        tick_longest=probe["longest"],
        cpu=used / took * 100,
        each=used / max(stored, 1) * 1e6,
    )


def _send_all(sock: socket.socket, data: bytearray) -> None:
    """Write all of it, waiting where the site holds senders back."""
    while data:
        try:
            sent = sock.send(data)
        except BlockingIOError:
            select.select([], [sock], [], 1.0)
            continue
        del data[:sent]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spread(values: Sequence[float], form: str) -> str:
    """Return the median with the least and the greatest."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


ROWS = (
    ("sent/s", "sent", ",.0f"),
    ("acknowledged/s", "stored", ",.0f"),
    ("shown/s", "shown", ",.0f"),
    ("end to end p50, ms", "p50", ".1f"),
    ("end to end p99, ms", "p99", ".1f"),
    ("end to end longest, ms", "longest", ".0f"),
    ("reactor late p50, ms", "tick_p50", ".2f"),
    ("reactor late p99, ms", "tick_p99", ".1f"),
    ("reactor late at most, ms", "tick_longest", ".0f"),
    ("CPU of the site, %", "cpu", ".0f"),
    ("CPU per sample, us", "each", ".0f"),
)


def show(found: dict[str, list[Found]]) -> None:
    """Print what was found side by side, and the ratio of neighbours in time."""
    print(f"\n{'':26}" + "".join(f"{name:>32}" for name in found), flush=True)
    for title, field, form in ROWS:
        each = [[asdict(one)[field] for one in values] for values in found.values()]
        row = f"{title:26}" + "".join(f"{spread(values, form):>32}" for values in each)
        if len(each) == 2 and all(map(all, each)):
            row += f"   x {spread([a / b for a, b in zip(*each, strict=True)], '.2f')}"
        print(row, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--rates", default="480,10000")
    wanted = parser.parse_args()
    rates = [int(text) for text in wanted.rates.split(",")]
    for rate in rates:
        results: dict[str, list[Found]] = {}
        beside = {"in groups": 500} | ({"a commit each": 1} if rate == max(rates) else {})
        for _ in range(wanted.rounds):
            for name, batch in beside.items():
                results.setdefault(name, []).append(measure(rate, wanted.seconds, wanted.pages, batch))
        print(f"\n{SENDERS} senders, {wanted.pages} pages, {rate:,} samples a second asked for", end="")
        show(results)


if __name__ == "__main__":
    main()
