"""What each table of the records is filled with: SQL expressions over `n`, the number of the row, and over `given`.

Five datasets, of which `crsp` has half of the rows; some hundreds of users, of whom `user7` has next to nothing; few
errors, and few open alerts, the oldest: what is rare is what an index is needed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FUNCTIONS: Final = """
    CREATE OR REPLACE FUNCTION pg_temp.pick(n bigint, salt int, choices int) RETURNS int LANGUAGE sql IMMUTABLE
        AS $$ SELECT (hashint8(n * 31 + salt) & 1048575) % choices $$;
    CREATE OR REPLACE FUNCTION pg_temp.dataset(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
        AS $$ SELECT (ARRAY['crsp', 'crsp', 'crsp', 'crsp', 'crsp', 'crsp', 'crsp', 'crsp', 'crsp', 'crsp',
                            'compustat', 'compustat', 'compustat', 'compustat', 'compustat',
                            'taq', 'taq', 'fama_french', 'fama_french', 'yahoo'])[1 + pg_temp.pick(n, 1, 20)] $$;
    CREATE OR REPLACE FUNCTION pg_temp.someone(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
        AS $$ SELECT 'user' || CASE WHEN pg_temp.pick(n, 2, 5000) = 0 THEN 7 ELSE 8 + pg_temp.pick(n, 3, 300) END $$;
    CREATE OR REPLACE FUNCTION pg_temp.digest(what text) RETURNS text LANGUAGE sql STABLE
        AS $$ SELECT encode(sha256(convert_to(what, 'UTF8')), 'hex') $$;
    CREATE OR REPLACE FUNCTION pg_temp.moment(n bigint, rows bigint, days float8) RETURNS timestamptz
        LANGUAGE sql STABLE AS $$ SELECT now() - make_interval(secs => days * 86400 * (rows - n) / rows) $$;
"""
"""Temporary, and simple enough for the server to put their bodies where they are called."""

OPEN_ALERTS: Final = 50
ROWS_OF_ARCHIVE: Final = 20_000
ARCHIVED: Final = (
    *("data_query_audit", "platform_audit", "data_sync_logs", "query_requests"),
    *(f"former_{letter}" for letter in "abcdefghijklmnop"),
)
"""The tables that archives are of, in turn: a table's own are one in twenty."""

REQUEST_OF_USER7: Final = 100
"""The number of a queued request of `user7`."""

# An outcome has its user and dataset from the row before it, which is its attempt; every hundredth row is a refusal,
# so the attempt before that one still waits for its outcome.
_ATTEMPT: Final = "(n - 1 + n % 2)"
_OUTCOME: Final = "n % 2 = 0 AND n % 100 > 0"
_RUN: Final = "md5('run' || n / 40)::uuid"
_TABLE: Final = "pg_temp.dataset(n) || '_t' || pg_temp.pick(n, 4, 4)"
_ALERT: Final = "CASE WHEN n <= given.open / 2 THEN 'crsp' ELSE pg_temp.dataset(n) END"
_SEVERITY: Final = "CASE WHEN pg_temp.pick(n, 5, 200) = 0 OR n <= given.open THEN 'error' ELSE 'warning' END"
# The newest deliveries wait for a sender.
_WAITS: Final = "n > given.rows - 20"

FILLINGS: Final[Mapping[str, Mapping[str, str]]] = {
    # The oldest rows are a little older than their table keeps them: about 2 % are due.
    "data_query_audit": {
        "id": "given.archived + n",
        "created_at": "pg_temp.moment(n, given.rows, 91.8)",
        "attempt_id": f"CASE WHEN {_OUTCOME} THEN given.archived + n - 1 END",
        "user_id": f"pg_temp.someone({_ATTEMPT})",
        "dataset": f"pg_temp.dataset({_ATTEMPT})",
        "manifest_version": f"CASE WHEN {_OUTCOME} OR n % 2 = 1 THEN {_ATTEMPT} END",
        "query_fingerprint": f"pg_temp.digest('query' || pg_temp.pick({_ATTEMPT}, 7, 500))",
        "query_text": f"CASE WHEN NOT ({_OUTCOME}) THEN given.sealed END",
        "query_text_sha256": f"CASE WHEN NOT ({_OUTCOME}) THEN given.digest END",
        "row_count": f"CASE WHEN {_OUTCOME} THEN n % 5000 END",
        "duration_ms": f"CASE WHEN {_OUTCOME} THEN n % 900 END",
        "client_ip": "'10.0.0.' || n % 250",
        "result": f"CASE WHEN {_OUTCOME} THEN 'success' WHEN n % 2 = 0 THEN 'denied' END",
        "previous_hash": "pg_temp.digest('data_query_audit' || given.archived + n - 1)",
        "hash": "pg_temp.digest('data_query_audit' || given.archived + n)",
    },
    "platform_audit": {
        "id": "given.archived + n",
        "created_at": "pg_temp.moment(n, given.rows, 91.8)",
        "actor": "pg_temp.someone(n)",
        "action": "CASE WHEN pg_temp.pick(n, 8, 1000) = 0 THEN 'users.set_role' WHEN n % 2 = 0 THEN 'sync.trigger' "
        "ELSE 'query.export' END",
        "dataset": "CASE WHEN n % 10 > 0 THEN pg_temp.dataset(n) END",
        "subject": "'subject' || n % 1000",
        "new_value": "jsonb_build_object('number', n)",
        "previous_hash": "pg_temp.digest('platform_audit' || given.archived + n - 1)",
        "hash": "pg_temp.digest('platform_audit' || given.archived + n)",
    },
    "data_sync_logs": {
        "created_at": "pg_temp.moment(n, given.rows, 30.6)",
        "dataset": "pg_temp.dataset(n)",
        "table_name": _TABLE,
        "level": "CASE WHEN pg_temp.pick(n, 6, 2000) = 0 THEN 'ERROR' WHEN n % 20 = 0 THEN 'WARN' ELSE 'INFO' END",
        "message": "'wrote partition ' || n % 30",
        "extra": "jsonb_build_object('rows', n, 'seconds', n % 60)",
        "sync_run_id": _RUN,
        "line_id": "md5('line' || n)::uuid",
    },
    "data_sync_schedule": {
        "dataset": "CASE WHEN n % 100 < 5 THEN "
        "(ARRAY['crsp', 'compustat', 'fama_french', 'taq', 'yahoo'])[1 + n % 100] ELSE 'd' || n % 100 END",
        "table_name": "'t' || n",
        "enabled": "n % 10 > 0",
        "next_scheduled_run": "CASE WHEN n % 10 > 0 THEN now() + (n - given.rows / 100) * interval '1 minute' END",
    },
    "data_validation_results": {
        "created_at": "pg_temp.moment(n, given.rows, 365)",
        "dataset": "pg_temp.dataset(n)",
        "table_name": _TABLE,
        "partition": "(2000 + n % 25)::text",
        "sync_run_id": _RUN,
        "validation_type": "(ARRAY['row_count', 'null_pct', 'schema', 'contract'])[1 + n % 4]",
        "status": "CASE WHEN n % 500 = 0 THEN 'failed' ELSE 'passed' END",
        "expected_value": "n::text",
        "actual_value": "n::text",
    },
    "data_partition_statistics": {
        "created_at": "pg_temp.moment(n, given.rows, 365)",
        "dataset": "pg_temp.dataset(n)",
        "table_name": _TABLE,
        "partition": "(2000 + n % 25)::text",
        "manifest_version": "n",
        "source": "'wrds'",
        "row_count": "n * 10",
        "null_shares": '\'{"prc": 0.0, "ret": 0.01}\'::jsonb',
        "statistics": "'{}'::jsonb",
    },
    "data_daily_metrics": {
        "day": "current_date - (1 + n / 40)::int",
        "dataset": "pg_temp.dataset(n)",
        "table_name": "'t' || n",
        "syncs": "n % 30",
        "failures": "0",
        "rows_published": "n",
        "bytes_published": "n * 10",
        "queries": "'{}'::jsonb",
        "denials": "0",
        "alerts_raised": "0",
        "alerts_acknowledged": "0",
    },
    "data_anomaly_alerts": {
        "created_at": "pg_temp.moment(n, given.rows, 365)",
        "dataset": _ALERT,
        "table_name": _TABLE,
        "partition": "(2000 + n % 25)::text",
        "metric": "'row_drop'",
        "severity": _SEVERITY,
        "current_value": "n",
        "message": "'fewer rows than before'",
        "acknowledged": "n > given.open",
    },
    "data_quality_alert_acknowledgments": {
        "created_at": "pg_temp.moment(n, given.rows, 365)",
        "alert_id": "n",
        "dataset": _ALERT,
        "metric": "'row_drop'",
        "severity": _SEVERITY,
        "acknowledged_by": "pg_temp.someone(n)",
        "reason": "'the source says so'",
        "original_alert": '\'{"metric": "row_drop"}\'::jsonb',
    },
    "alert_deliveries": {
        "created_at": "pg_temp.moment(n, given.rows, 91.8)",
        "alert_id": "n",
        "channel": "CASE WHEN n % 10 = 0 THEN 'pager' ELSE 'oncall' END",
        "dataset": _ALERT,
        "state": f"CASE WHEN {_WAITS} THEN 'pending' WHEN n % 1000 = 0 THEN 'failed' ELSE 'sent' END",
        "attempts": f"CASE WHEN {_WAITS} THEN 0 WHEN n % 1000 = 0 THEN 5 ELSE 1 END",
        "last_attempt_at": f"CASE WHEN NOT ({_WAITS}) THEN pg_temp.moment(n, given.rows, 91.8) END",
        "due_at": f"CASE WHEN {_WAITS} THEN now() END",
        "error": f"CASE WHEN n % 1000 = 0 AND NOT ({_WAITS}) THEN 'the service answered with HTTP 500' END",
        "message_id": f"CASE WHEN NOT ({_WAITS}) THEN md5('message' || n / 40)::uuid END",
    },
    "alert_rules": {
        "name": "'rule' || n",
        "channel": "'channel' || n % 50",
        "dataset": "CASE WHEN n % 3 > 0 THEN pg_temp.dataset(n) END",
        "severity": "'error'",
        "enabled": "n <= 10",
        "updated_by": "'adm'",
    },
    "platform_users": {
        "user_id": "'user' || n - 1",
        "role": "CASE WHEN n <= 5 THEN 'admin' WHEN n % 10 = 0 THEN 'operator' ELSE 'analyst' END",
        "disabled": "n % 50 = 0",
    },
    "platform_grants": {
        "user_id": "'user' || n - 1",
        "kind": "CASE WHEN n % 20 = 0 THEN 'revocation' ELSE 'grant' END",
        "permission": "'dataset:' || CASE WHEN n = 8 THEN 'crsp' ELSE pg_temp.dataset(n) END",
    },
    "platform_tokens": {
        "user_id": "'user' || (n - 1) / 2",
        "token_hash": "pg_temp.digest('dp_' || n)",
        "expires_at": "now() + interval '90 days'",
        "revoked_at": "CASE WHEN n % 10 = 0 THEN now() END",
    },
    "query_requests": {
        "id": "md5('request' || n)::uuid",
        "created_at": "pg_temp.moment(n, given.rows, 24.5 / 24)",
        "updated_at": "pg_temp.moment(n, given.rows, 24.5 / 24)",
        "user_id": f"CASE WHEN n = {REQUEST_OF_USER7} THEN 'user7' ELSE pg_temp.someone(n) END",
        "dataset": f"CASE WHEN n = {REQUEST_OF_USER7} THEN 'crsp' ELSE pg_temp.dataset(n) END",
        "query_text": "given.sealed",
        "state": "CASE WHEN n % 100 = 0 THEN 'queued' ELSE 'done' END",
        "result_location": "CASE WHEN n % 100 > 0 THEN '/nowhere/' || n END",
    },
    "rate_limits": {
        "action": "'query'",
        "subject": "'user' || n - 1",
        "hits": "ARRAY[now() - interval '40 seconds', now() - interval '20 seconds']",
    },
    "archives": {
        "created_at": "pg_temp.moment(n, given.rows, 3650)",
        "table_name": "given.tables[1 + (n - 1) % 20]",
        "file_name": "given.tables[1 + (n - 1) % 20] || '/' || n || '.jsonl.gz.fernet'",
        "sha256": "pg_temp.digest('archive' || n)",
        "row_count": "given.batch",
        "first_at": "pg_temp.moment(n - 1, given.rows, 3650)",
        "last_at": "pg_temp.moment(n, given.rows, 3650)",
        "first_id": "CASE WHEN (n - 1) % 20 < 2 THEN (n - 1) / 20 * given.batch + 1 END",
        "last_id": "CASE WHEN (n - 1) % 20 < 2 THEN (n + 19) / 20 * given.batch END",
        "previous_hash": "CASE WHEN (n - 1) % 20 < 2 THEN "
        "pg_temp.digest(given.tables[1 + (n - 1) % 20] || (n - 1) / 20 * given.batch) END",
        "last_hash": "CASE WHEN (n - 1) % 20 < 2 THEN "
        "pg_temp.digest(given.tables[1 + (n - 1) % 20] || (n + 19) / 20 * given.batch) END",
    },
}
"""Columns that are not named keep their default; ids count from one. What takes longest comes first."""
