"""`data_daily_metrics`: what happened on each day that is over, by dataset and table, summed up from other tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from data_platform.records.connection import Connection
from data_platform.records.filters import where

# Of each partition of each run the last word counts: a session that was cut and opened again did not fail. Only such
# lines name a version or an error.
_SYNCS: Final = """
    WITH ended AS (
        SELECT DISTINCT ON (sync_run_id, table_name, extra->>'partition') table_name, extra
        FROM platform.data_sync_logs
        WHERE dataset = %(dataset)s AND created_at >= %(begin)s AND created_at < %(end)s
              AND table_name IS NOT NULL AND (extra ? 'version' OR (level = 'ERROR' AND extra ? 'error'))
        ORDER BY sync_run_id, table_name, extra->>'partition', created_at DESC, id DESC
    ), sized AS (
        SELECT table_name, extra ? 'error' AS failed, (extra->>'rows')::bigint AS rows,
               (extra->>'bytes')::bigint AS bytes,
               CASE WHEN extra ? 'rows' THEN (extra->>'seconds')::double precision END AS seconds
        FROM ended
    )
    SELECT table_name, count(*)::int AS syncs, (count(*) FILTER (WHERE failed))::int AS failures,
           coalesce(sum(rows), 0)::bigint AS rows_published, coalesce(sum(bytes), 0)::bigint AS bytes_published,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds_median, max(seconds) AS seconds_longest
    FROM sized GROUP BY GROUPING SETS ((table_name), ())
"""
_QUERIES: Final = """
    SELECT result, count(*)::int AS queries FROM platform.data_query_audit
    WHERE dataset = %(dataset)s AND created_at >= %(begin)s AND created_at < %(end)s AND result IS NOT NULL
    GROUP BY result ORDER BY result
"""
_RAISED: Final = """
    SELECT table_name, count(*)::int AS alerts FROM platform.data_anomaly_alerts
    WHERE dataset = %(dataset)s AND created_at >= %(begin)s AND created_at < %(end)s
    GROUP BY GROUPING SETS ((table_name), ())
"""
_ACKNOWLEDGED: Final = """
    SELECT original_alert->>'table_name' AS table_name, count(*)::int AS alerts
    FROM platform.data_quality_alert_acknowledgments
    WHERE dataset = %(dataset)s AND created_at >= %(begin)s AND created_at < %(end)s
    GROUP BY GROUPING SETS ((original_alert->>'table_name'), ())
"""
_COLUMNS: Final = sql.SQL(
    "day, dataset, table_name, syncs, failures, rows_published, bytes_published, seconds_median, seconds_longest, "
    "queries, denials, alerts_raised, alerts_acknowledged"
)
_RECENT: Final = sql.SQL(
    "SELECT {} FROM platform.data_daily_metrics {} ORDER BY day DESC, dataset, table_name NULLS FIRST"
)
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DailyMetrics:
    """One day (UTC) of a dataset, or of a table of it; `table_name` is None for the dataset as a whole.

    A sync is one partition in one run; those that found nothing new count. `rows_published` and `bytes_published` are
    of what was published, the seconds too, None when nothing was. `queries` counts by result, `denials` those that were
    denied; both are of the dataset only.
    """

    day: dt.date
    dataset: str
    table_name: str | None = None
    syncs: int = 0
    failures: int = 0
    rows_published: int = 0
    bytes_published: int = 0
    seconds_median: float | None = None
    seconds_longest: float | None = None
    queries: Mapping[str, int] = field(default_factory=dict[str, int])
    denials: int = 0
    alerts_raised: int = 0
    alerts_acknowledged: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.syncs or self.queries or self.alerts_raised or self.alerts_acknowledged)


def measure(connection: Connection, dataset: str, day: dt.date) -> list[DailyMetrics]:
    """Sum up a day of a dataset: the dataset's own row first, then one for each table in which something happened.

    The scope must see everything: of others' queries a user's own scope knows nothing.
    """
    begin = dt.datetime.combine(day, dt.time(), dt.UTC)
    given = {"dataset": dataset, "begin": begin, "end": begin + _DAY}
    found: dict[str | None, dict[str, Any]] = {None: {}}
    for row in connection.execute(_SYNCS, given).fetchall():
        found.setdefault(row.pop("table_name"), {}).update(row)
    raised = connection.execute(_RAISED, given).fetchall()
    acknowledged = connection.execute(_ACKNOWLEDGED, given).fetchall()
    for rows, name in ((raised, "alerts_raised"), (acknowledged, "alerts_acknowledged")):
        for row in rows:
            found.setdefault(row["table_name"], {})[name] = row["alerts"]
    queries = {row["result"]: row["queries"] for row in connection.execute(_QUERIES, given).fetchall()}
    found[None] |= {"queries": queries, "denials": queries.get("denied", 0)}
    return [
        DailyMetrics(day, dataset, table, **found[table])
        for table in [None, *sorted(name for name in found if name is not None)]
    ]


def store(connection: Connection, rows: Iterable[DailyMetrics]) -> None:
    """Keep the rows of a day, each in place of the one that there may be already; the scope must see everything."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO platform.data_daily_metrics
                (day, dataset, table_name, syncs, failures, rows_published, bytes_published, seconds_median,
                 seconds_longest, queries, denials, alerts_raised, alerts_acknowledged)
            VALUES
                (%(day)s, %(dataset)s, %(table_name)s, %(syncs)s, %(failures)s, %(rows_published)s,
                 %(bytes_published)s, %(seconds_median)s, %(seconds_longest)s, %(queries)s, %(denials)s,
                 %(alerts_raised)s, %(alerts_acknowledged)s)
            ON CONFLICT (dataset, day, table_name) DO UPDATE SET
                updated_at = now(), syncs = excluded.syncs, failures = excluded.failures,
                rows_published = excluded.rows_published, bytes_published = excluded.bytes_published,
                seconds_median = excluded.seconds_median, seconds_longest = excluded.seconds_longest,
                queries = excluded.queries, denials = excluded.denials, alerts_raised = excluded.alerts_raised,
                alerts_acknowledged = excluded.alerts_acknowledged
            """,
            [asdict(row) | {"queries": Jsonb(dict(row.queries))} for row in rows],
        )


def recent(connection: Connection, since: dt.date, dataset: str | None = None) -> list[DailyMetrics]:
    """Return what the scope may see from a day on, newest first, of each dataset its own row before its tables'."""
    condition = where(sql.SQL("day >= {}").format(sql.Literal(since)), dataset=dataset)
    rows = connection.execute(_RECENT.format(_COLUMNS, condition)).fetchall()
    return [DailyMetrics(**row) for row in rows]


def last_day(connection: Connection) -> dt.date | None:
    """Return the newest day that was summed up and that the scope may see; None when there is none."""
    row = connection.execute("SELECT day FROM platform.data_daily_metrics ORDER BY day DESC LIMIT 1").fetchone()
    return None if row is None else row["day"]
