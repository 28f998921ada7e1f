"""What holds for all tests."""

import signal

from hypothesis import HealthCheck, settings

# How long an example takes is the machine's: nothing fails for it.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start: a shell's background job hands on that it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
