"""`alert_rules`: which alerts go to which channel. A rule matches what it names; what it leaves open matches all.

Writing needs a scope that sees everything; each change is noted in `platform_audit` in the same transaction, in the
name of that scope.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from data_platform.errors import UsageError
from data_platform.records import platform_audit, texts
from data_platform.records.alerts import Severity
from data_platform.records.connection import Connection

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LONGEST_METRIC: Final = 64
_MOST: Final = 1_000
_COLUMNS: Final = sql.SQL("id, created_at, name, channel, dataset, metric, severity, enabled, updated_by, updated_at")


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule. None stands for every dataset, metric or severity.

    `updated_at` is when it was made or last turned on or off; it sends no alert that is older.
    """

    id: int
    created_at: dt.datetime
    name: str
    channel: str
    dataset: str | None
    metric: str | None
    severity: Severity | None
    enabled: bool
    updated_by: str
    updated_at: dt.datetime


def short_name(text: str, what: str) -> str:
    """Return the name of a rule or a channel, if one can be called that.

    Args:
        text: What somebody typed.
        what: The name's name at the beginning of a sentence, such as ``The channel's name``.

    Raises:
        UsageError: when it is not 1 to 64 lower-case letters, digits, dashes and underscores.
    """
    if not _NAME.fullmatch(text):
        raise UsageError(
            f"{what} can't be {texts.shown(text)}.",
            hint="Use up to 64 lower-case letters, digits, - and _, beginning with a letter or digit.",
        )
    return text


def add(
    connection: Connection,
    name: str,
    channel: str,
    *,
    dataset: str | None = None,
    metric: str | None = None,
    severity: Severity | None = None,
    reason: str | None = None,
) -> AlertRule:
    """Make a rule, turned on; it sends alerts that are created from now on.

    Raises:
        UsageError: when the name is taken, or a name can't be one.
    """
    given = {
        "name": short_name(name, "The rule's name"),
        "channel": short_name(channel, "The channel's name"),
        "dataset": None if dataset is None else texts.name(dataset, "The dataset's name"),
        "metric": None if metric is None else texts.name(metric, "The metric's name", _LONGEST_METRIC),
        "severity": severity,
        "updated_by": platform_audit.current_actor(connection),
    }
    try:
        with connection.transaction():
            row = connection.execute(
                sql.SQL(
                    "INSERT INTO platform.alert_rules (name, channel, dataset, metric, severity, updated_by) VALUES "
                    "(%(name)s, %(channel)s, %(dataset)s, %(metric)s, %(severity)s, %(updated_by)s) RETURNING {}"
                ).format(_COLUMNS),
                given,
            ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise UsageError(f"There is a rule {name!r} already.", hint="Remove it first, or take another name.") from None
    assert row is not None  # noqa: S101 - it was inserted
    rule = AlertRule(**row)
    _note(connection, "alert_rules.add", rule, None, _said(rule), reason)
    return rule


def remove(connection: Connection, name: str, reason: str | None = None) -> AlertRule:
    """Remove a rule and return what it was. What it has put into the log of deliveries stays.

    Raises:
        UsageError: when there is no such rule.
    """
    row = connection.execute(
        sql.SQL("DELETE FROM platform.alert_rules WHERE name = %s RETURNING {}").format(_COLUMNS), (name,)
    ).fetchone()
    if row is None:
        raise _missing(name)
    rule = AlertRule(**row)
    _note(connection, "alert_rules.remove", rule, _said(rule), None, reason)
    return rule


def enable(connection: Connection, name: str, *, enabled: bool = True, reason: str | None = None) -> AlertRule:
    """Turn a rule on, or off with ``enabled=False``; what is so already stays as it is and leaves no trace.

    Raises:
        UsageError: when there is no such rule.
    """
    row = connection.execute(
        sql.SQL("SELECT {} FROM platform.alert_rules WHERE name = %s FOR UPDATE").format(_COLUMNS), (name,)
    ).fetchone()
    if row is None:
        raise _missing(name)
    if row["enabled"] == enabled:
        return AlertRule(**row)
    changed = connection.execute(
        sql.SQL(
            "UPDATE platform.alert_rules SET enabled = %s, updated_by = %s, updated_at = clock_timestamp() "
            "WHERE name = %s RETURNING {}"
        ).format(_COLUMNS),
        (enabled, platform_audit.current_actor(connection), name),
    ).fetchone()
    assert changed is not None  # noqa: S101 - the row is locked by this transaction
    rule = AlertRule(**changed)
    action = "alert_rules.enable" if enabled else "alert_rules.disable"
    _note(connection, action, rule, {"enabled": not enabled}, {"enabled": enabled}, reason)
    return rule


def every(connection: Connection) -> list[AlertRule]:
    """Return the rules that the scope may see, by name; at most a thousand."""
    rows = connection.execute(
        sql.SQL("SELECT {} FROM platform.alert_rules ORDER BY name LIMIT {}").format(_COLUMNS, sql.Literal(_MOST))
    ).fetchall()
    return [AlertRule(**row) for row in rows]


def enabled_rules(connection: Connection) -> list[AlertRule]:
    """Return the rules that are turned on and that the scope may see, by channel."""
    rows = connection.execute(
        sql.SQL("SELECT {} FROM platform.alert_rules WHERE enabled ORDER BY channel, id LIMIT {}").format(
            _COLUMNS, sql.Literal(_MOST)
        )
    ).fetchall()
    return [AlertRule(**row) for row in rows]


def _said(rule: AlertRule) -> dict[str, object]:
    said: dict[str, object] = {
        "channel": rule.channel,
        "dataset": rule.dataset,
        "metric": rule.metric,
        "severity": rule.severity,
    }
    return {name: value for name, value in said.items() if value is not None}


def _note(
    connection: Connection,
    action: str,
    rule: AlertRule,
    old: dict[str, object] | None,
    new: dict[str, object] | None,
    reason: str | None,
) -> None:
    actor = platform_audit.current_actor(connection)
    platform_audit.append(
        connection,
        actor,
        action,
        dataset=rule.dataset,
        subject=rule.name,
        old_value=old,
        new_value=new,
        reason=reason,
    )


def _missing(name: str) -> UsageError:
    return UsageError(f"There is no rule {texts.shown(name)}.", hint="List them with: data-platform alerts rules")
