"""Delivering what the rules match: enlist, and for each channel claim, send in one message, note what became of it.

A claim is committed before anything is sent, so any number of processes may deliver at once. Each channel is claimed
just before it is sent to: what one server takes its time over is no other channel's.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from data_platform.alerting.channels import VARIABLE, Channel, configured, open_channel
from data_platform.alerting.message import compose
from data_platform.alerting.sending import send
from data_platform.errors import AlertDeliveryError, ConfigurationError, PlatformError
from data_platform.records import alert_deliveries, alert_rules
from data_platform.records.connection import Connection, Records
from data_platform.records.scope import Scope
from data_platform.settings import Settings

HORIZON: Final = dt.timedelta(days=7)
"""An older alert that nobody was told of is no news any more."""

SCOPE: Final = Scope.system("alerts")

_logger: Final = logging.getLogger(__name__)
_missing_told: Final[set[str]] = set()


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """What became of one channel: how many alerts one message stood for, and why it failed, if it did.

    Without a message (`message_id` is None) the channel itself can't be used, and what is due for it waits.
    """

    channel: str
    alerts: int = 0
    message_id: UUID | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a delivery did: a report for each channel that something was due for, and channels that are not configured.

    `enlisted` is how many alerts the rules matched anew.
    """

    enlisted: int = 0
    channels: tuple[ChannelReport, ...] = ()
    unconfigured: tuple[str, ...] = ()

    @property
    def sent(self) -> int:
        """How many alerts were sent, counted once for each channel."""
        return sum(report.alerts for report in self.channels if report.error is None)

    @property
    def failed(self) -> tuple[ChannelReport, ...]:
        """The channels whose message was not taken."""
        return tuple(report for report in self.channels if report.error is not None)


def deliver(
    records: Records,
    settings: Settings,
    *,
    now: dt.datetime | None = None,
    pause: Callable[[float], None] = time.sleep,
    again: bool = False,
    within: float | None = None,
) -> DeliveryReport:
    """Send what is due; without a configured channel nothing is looked at.

    Args:
        records: Where alerts, rules and the log of deliveries are.
        settings: Name the channels.
        now: The moment to act at; the database's time unless given.
        pause: Called with the seconds to wait before a message is tried again at once.
        again: Take up what failed too, also what was given up, and do not wait for its pause.
        within: Seconds for all sending together, for callers that must be done by then. The channels share them: what
            one does not need is the others', and one that is not done in its share has failed, and is due again later.

    Raises:
        DatabaseUnavailableError: when the records are away; what was claimed is due again after ten minutes.
    """
    channels = configured(settings)
    if not channels:
        return DeliveryReport()
    with records.transaction(SCOPE) as connection:
        alert_deliveries.wait_for_turn(connection)
        rules = alert_rules.enabled_rules(connection)
        started = now or alert_deliveries.clock(connection)
        enlisted = sum(
            alert_deliveries.enlist(connection, rule, max(rule.updated_at, started - HORIZON)) for rule in rules
        )
        wanted = sorted({rule.channel for rule in rules})
        usable = [channels[name] for name in wanted if name in channels]
        if again:
            alert_deliveries.take_up_again(connection, [channel.name for channel in usable], started)
    unconfigured = tuple(name for name in wanted if name not in channels)
    _tell_missing(unconfigured)
    work = _Work(records, now, pause)
    ends = None if within is None else time.monotonic() + within
    reports = [
        report
        for waiting, channel in zip(range(len(usable), 0, -1), usable, strict=True)
        if (report := work.deliver_to(channel, _share(ends, waiting))) is not None
    ]
    return DeliveryReport(enlisted, tuple(reports), unconfigured)


def deliver_quietly(records: Records, settings: Settings, *, within: float | None = None) -> DeliveryReport | None:
    """Send what is due at the end of something more important: whatever fails is one line of the log.

    `within` is as in `deliver`.

    Returns:
        What `deliver` does; None when it failed as a whole.
    """
    try:
        report = deliver(records, settings, within=within)
    except PlatformError as error:
        _logger.warning("Alerts were not delivered: %s", error.message)
        return None
    except Exception as error:  # noqa: BLE001 - a sync must not fail over its alerts, and no words of a library get out
        _logger.warning("Alerts were not delivered: a %s in the delivery itself.", type(error).__name__)
        return None
    if report.failed:
        _logger.warning(
            "Alerts were not delivered: %s They are tried again; see: data-platform alerts deliveries",
            " ".join(str(channel.error) for channel in report.failed),
        )
    return report


@dataclass(frozen=True, slots=True)
class _Work:
    records: Records
    now: dt.datetime | None
    pause: Callable[[float], None]

    def deliver_to(self, channel: Channel, seconds: float | None) -> ChannelReport | None:
        """Send to one channel what is due for it, in so many seconds if any are given; None when nothing is due."""
        # Asked first: opening a channel imports the library, which most syncs can do without.
        with self.records.transaction(SCOPE) as connection:
            if not alert_deliveries.is_due(connection, channel.name, self._moment(connection)):
                return None
        try:
            service = open_channel(channel)
        except ConfigurationError as error:
            return ChannelReport(channel.name, error=error.message)
        with self.records.transaction(SCOPE) as connection:
            claim = alert_deliveries.claim(connection, channel.name, self._moment(connection))
        if claim is None:
            return None
        problem = cause = None
        try:
            message = compose(claim.alerts, str(claim.message_id))
            send(channel, service, message, pause=self.pause, within=seconds)
        except AlertDeliveryError as error:
            problem, cause = error.message, error.cause
        with self.records.transaction(SCOPE) as connection:
            alert_deliveries.settle(connection, claim.message_id, self._moment(connection), cause)
        return ChannelReport(channel.name, len(claim.alerts), claim.message_id, problem)

    def _moment(self, connection: Connection) -> dt.datetime:
        return self.now or alert_deliveries.clock(connection)


def _share(ends: float | None, waiting: int) -> float | None:
    """The seconds for the next of so many channels that still wait; None when nobody counts them."""
    return None if ends is None else max(ends - time.monotonic(), 0.0) / waiting


def _tell_missing(names: tuple[str, ...]) -> None:
    """Say once in the life of the process that rules name channels without an address here."""
    new = [name for name in names if name not in _missing_told]
    if new:
        _missing_told.update(new)
        _logger.warning(
            "Rules name channels that %s has no address for: %s. Their alerts wait.", VARIABLE, ", ".join(new)
        )
