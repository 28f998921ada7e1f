"""The newest events, in order, and who hears of them."""

from gatekeeper.evidence.journal import KEPT, Event, Journal


def test_events_are_numbered_and_carry_the_time_on_the_wall() -> None:
    now = [1_800_000_000.0]
    journal = Journal(lambda: now[0])
    first = journal.record("door.opened", "ana opened", subject="front", actor="ana")
    now[0] += 1
    second = journal.record("camera.offline", "gone", outcome="alarm")
    assert (first.sequence, first.time, first.outcome) == (1, 1_800_000_000.0, "ok")
    assert (second.sequence, second.time, second.subject, second.actor) == (2, 1_800_000_001.0, None, None)
    assert journal.recent() == (first, second)


def test_only_the_newest_are_kept_and_the_numbers_go_on() -> None:
    journal = Journal(lambda: 0.0)
    for number in range(KEPT + 10):
        journal.record("x", str(number))
    kept = journal.recent()
    assert len(kept) == KEPT
    assert (kept[0].sequence, kept[-1].sequence) == (11, KEPT + 10)


def test_observers_hear_each_event_from_then_on_in_their_order() -> None:
    journal = Journal(lambda: 0.0)
    heard: list[tuple[str, Event]] = []
    journal.record("before", "")
    journal.observe(lambda event: heard.append(("first", event)))
    journal.observe(lambda event: heard.append(("second", event)))
    event = journal.record("after", "")
    assert heard == [("first", event), ("second", event)]


def test_an_observer_may_record_or_observe_while_it_hears() -> None:
    journal = Journal(lambda: 0.0)
    heard: list[str] = []

    def echo(event: Event) -> None:
        heard.append(event.kind)
        if event.kind == "knock":
            journal.record("echo", "")
            journal.observe(lambda later: heard.append(f"late {later.kind}"))

    journal.observe(echo)
    journal.record("knock", "")
    assert heard == ["knock", "echo"]
    assert [event.kind for event in journal.recent()] == ["knock", "echo"]
