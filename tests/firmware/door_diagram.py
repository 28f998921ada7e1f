"""The door lock's state diagram, made from the table that drives it (`gk/door_states.hpp`).

python -m tests.firmware.door_diagram writes it into `firmware/docs/door-lock.md`.
"""

import ctypes
from collections.abc import Callable
from pathlib import Path

FIRMWARE = Path(__file__).parents[2] / "firmware"
PAGE = FIRMWARE / "docs" / "door-lock.md"
LIBRARY = FIRMWARE / "build" / "host" / "libgk_host.so"

EFFECTS = {
    1: "relay on",
    2: "relay off",
    4: "the cap begins",
    8: "who sent it holds",
    16: "heartbeat",
    32: "TIMEOUT:AUTO_LOCKED",
}
BEGIN, END = "<!-- made from the table -->", "<!-- until here -->"


def diagram(library: ctypes.CDLL) -> str:
    """Return the diagram and the table, as Markdown."""
    library.gk_door_state_name.restype = library.gk_door_event_name.restype = ctypes.c_char_p
    states = _names(library.gk_door_state_name)
    events = _names(library.gk_door_event_name)
    arrows, rows = ["    [*] --> locked"], []
    for place, state in enumerate(states):
        row = [state]
        for number, event in enumerate(events):
            next_, effects = library.gk_door_transition(place, number) % 256, library.gk_door_transition(place, number)
            does = ", ".join(text for bit, text in EFFECTS.items() if effects // 256 & bit)
            if next_ != place or does:
                arrows.append(f"    {state} --> {states[next_]}: {event}{f' / {does}' if does else ''}")
            row.append(f"{states[next_]}{f' ({does})' if does else ''}")
        rows.append("| " + " | ".join(row) + " |")
    head = ["| in | " + " | ".join(events) + " |", "|---" * (len(events) + 1) + "|"]
    lines = [BEGIN, "```mermaid", "stateDiagram-v2", *arrows, "```", "", *head, *rows, END]
    return "\n".join(lines) + "\n"


def _names(name: Callable[[int], bytes | None]) -> list[str]:
    names: list[str] = []
    while (one := name(len(names))) is not None:
        names.append(one.decode())
    return names


if __name__ == "__main__":
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(before + diagram(ctypes.CDLL(str(LIBRARY))) + rest.partition(END + "\n")[2])
