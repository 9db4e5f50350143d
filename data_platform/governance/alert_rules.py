"""Rules of alerts and the log of their delivery, for people: administrators change rules, others read what they may."""

from __future__ import annotations

from collections.abc import Mapping

from data_platform.alerting.channels import Channel, configured, open_channel
from data_platform.alerting.delivery import DeliveryReport, deliver
from data_platform.alerting.message import trial
from data_platform.alerting.sending import send
from data_platform.catalog import DATASETS
from data_platform.errors import UsageError
from data_platform.governance.permissions import (
    LICENSED_DATASETS,
    Action,
    User,
    require,
    require_administrator,
    require_alerts_of,
)
from data_platform.governance.scopes import administration_scope, reading_scope
from data_platform.records import alert_deliveries, alert_rules, platform_audit, texts
from data_platform.records.alert_deliveries import Delivery, State
from data_platform.records.alert_rules import AlertRule
from data_platform.records.alerts import Severity
from data_platform.records.connection import Records
from data_platform.records.scope import PLATFORM
from data_platform.settings import Settings
from data_platform.sync.alert_metrics import METRICS


class AlertRules:
    """The rules and channels, as one user may see and change them.

    Every method raises `NotPermittedError` for those who may not, `UsageError` for what makes no sense, and
    `DatabaseUnavailableError` when the records are away.
    """

    def __init__(self, records: Records, settings: Settings, user: User) -> None:
        self._records = records
        self._settings = settings
        self._user = user

    def rules(self) -> list[AlertRule]:
        """The rules for the user's datasets and for all of them, by name."""
        require(self._user, Action.VIEW_DATA_QUALITY)
        with self._records.transaction(reading_scope(self._user)) as connection:
            return alert_rules.every(connection)

    def deliveries(
        self,
        dataset: str | None = None,
        channel: str | None = None,
        state: State | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """What became of alerts of the user's datasets, newest first."""
        _require_known(dataset)
        require_alerts_of(self._user, dataset)
        with self._records.transaction(reading_scope(self._user)) as connection:
            return alert_deliveries.recent(connection, dataset=dataset, channel=channel, state=state, limit=limit)

    def channels(self) -> Mapping[str, Channel | None]:
        """The channels by name: those that the settings have an address for, and those that only a rule names."""
        named = dict.fromkeys(rule.channel for rule in self.rules())
        return dict(sorted((named | dict(configured(self._settings))).items()))

    def add(
        self,
        name: str,
        channel: str,
        *,
        dataset: str | None = None,
        metric: str | None = None,
        severity: Severity | None = None,
        reason: str | None = None,
    ) -> AlertRule:
        """Make a rule for what is created from now on; it is turned on."""
        _require_known(dataset)
        if metric is not None and metric not in METRICS:
            raise UsageError(f"{texts.shown(metric)} is no metric.", hint=f"Known: {', '.join(sorted(METRICS))}.")
        with self._records.transaction(administration_scope(self._user)) as connection:
            return alert_rules.add(
                connection, name, channel, dataset=dataset, metric=metric, severity=severity, reason=reason
            )

    def remove(self, name: str, reason: str | None = None) -> AlertRule:
        """Remove a rule."""
        with self._records.transaction(administration_scope(self._user)) as connection:
            return alert_rules.remove(connection, name, reason)

    def enable(self, name: str, *, enabled: bool = True, reason: str | None = None) -> AlertRule:
        """Turn a rule on, or off with ``enabled=False``."""
        with self._records.transaction(administration_scope(self._user)) as connection:
            return alert_rules.enable(connection, name, enabled=enabled, reason=reason)

    def test(self, name: str) -> None:
        """Send one message that says that it is a test; the attempt is in the audit.

        Raises:
            ConfigurationError: when the channel's address can't be used.
            AlertDeliveryError: when the channel does not take the message.
        """
        require_administrator(self._user)
        channel = configured(self._settings).get(name)
        if channel is None:
            raise UsageError(
                f"The channel {texts.shown(name)} is not configured.",
                hint="List those that are with: data-platform alerts channels",
            )
        service = open_channel(channel)
        platform_audit.note(self._records, self._user.user_id, "alert_channels.test", subject=name)
        send(channel, service, trial(name))

    def deliver(self, *, again: bool = False) -> DeliveryReport:
        """Send what is due now; with `again` what failed or was given up too."""
        require_administrator(self._user)
        if again:
            platform_audit.note(self._records, self._user.user_id, "alert_deliveries.again")
        return deliver(self._records, self._settings, again=again)


def _require_known(dataset: str | None) -> None:
    known = sorted({*LICENSED_DATASETS, *DATASETS, PLATFORM})
    if dataset is not None and dataset not in known:
        raise UsageError(f"{texts.shown(dataset)} is no dataset.", hint=f"Known: {', '.join(known)}.")
