"""Set-ups of channels: a web hook on this machine that takes messages, goes away and comes back."""

from __future__ import annotations

from contextlib import ExitStack

from data_platform_tests.alerting.servers import hook
from data_platform_tests.cli.runbooks.machine import Machine

_OPEN: dict[int, ExitStack] = {}


def a_receiver(machine: Machine) -> None:
    """A service takes messages at `<address>`."""
    port = int(machine.names.get("hook-port", "0"))
    stack = ExitStack()
    there = stack.enter_context(hook(port))
    machine.until_the_end.enter_context(stack)
    machine.names |= {"address": there.address, "hook-port": str(there.port)}
    _OPEN[there.port] = stack


def the_receiver_is_away(machine: Machine) -> None:
    """It does not answer any more."""
    _OPEN.pop(int(machine.names["hook-port"])).close()
