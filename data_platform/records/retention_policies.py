"""How long the rows of each table stay: declarations, one for every table there is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

from data_platform.records.chain import PLATFORM_AUDIT, QUERY_AUDIT, Chain


@dataclass(frozen=True, slots=True)
class Policy:
    """Rows of `table` go to an archive when `clock` is older than `keep`; None keeps them, for the reason given.

    `encrypted` columns are decrypted on their way into the archive, which is encrypted as a whole.
    """

    table: str
    keep: dt.timedelta | None
    reason: str
    clock: Literal["created_at", "updated_at"] = "created_at"
    chain: Chain | None = None
    encrypted: tuple[str, ...] = ()

    @property
    def batch_rows(self) -> int:
        """How many rows go to one archive: of tables whose texts may have 16 KiB each, fewer fit into memory."""
        return 2_000 if self.encrypted else 20_000


POLICIES: Final = (
    Policy("data_sync_logs", dt.timedelta(days=30), "what happened lately; the verdicts stay"),
    Policy(
        "data_query_audit",
        dt.timedelta(days=90),
        "the chain goes on from the archive",
        chain=QUERY_AUDIT,
        encrypted=("query_text",),
    ),
    Policy("platform_audit", dt.timedelta(days=90), "the chain goes on from the archive", chain=PLATFORM_AUDIT),
    Policy(
        "query_requests",
        dt.timedelta(hours=24),
        "results live for a day; the audit has the query",
        clock="updated_at",
        encrypted=("query_text", "parameters", "error_message"),
    ),
    Policy("data_validation_results", None, "trends look back on them"),
    Policy("data_partition_statistics", None, "the next versions are judged by them"),
    Policy("data_coverage", None, "one row a partition"),
    Policy("data_daily_metrics", None, "a few rows a day; the lines they sum up go after 30 days"),
    Policy("data_anomaly_alerts", None, "trends and acknowledgments look back on them"),
    Policy("data_quality_alert_acknowledgments", None, "who answered for which alert"),
    Policy("alert_rules", None, "a handful of rows, in use"),
    Policy("alert_deliveries", dt.timedelta(days=90), "who was told of what lately; the alerts stay"),
    Policy("data_sync_schedule", None, "one row a table, in use"),
    Policy("platform_users", None, "who somebody was, as long as the audit names them"),
    Policy("platform_grants", None, "belongs to its user"),
    Policy("platform_tokens", None, "which token was whose, as long as the audit names it"),
    Policy("rate_limits", None, "one row a user and limit"),
    Policy("archives", None, "where the archived rows are"),
    Policy("audit_heads", None, "one row a chain"),
    Policy("scope_keys", None, "one row, in use"),
)
