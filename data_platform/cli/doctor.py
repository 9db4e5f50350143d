"""`data-platform doctor`: what works here, what doesn't, and how to mend it."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import typer

from data_platform.catalog import DATASETS, TABLES
from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table
from data_platform.cli.session import require_here
from data_platform.cli.system_errors import explain
from data_platform.errors import PlatformError
from data_platform.governance.audit_key import VARIABLE, key_path, open_cipher
from data_platform.governance.engine.confinement import MEND, confinement_report
from data_platform.records.databases import open_databases
from data_platform.records.migrations import migration_status
from data_platform.settings import KEN_FRENCH_URL, Settings, load_settings
from data_platform.sources.demo.marker import demo_marker
from data_platform.sources.opening import entitlements
from data_platform.sync.watchers.upkeep import credential_expiry, unhealthy_daemons
from data_platform.warehouse import Warehouse
from data_platform.warehouse.backup import open_backups

_DAY_SECONDS: Final = 86_400
_ROTATE_AFTER_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: `state` is ok, note (works, but worth knowing) or problem."""

    what: str
    state: Literal["ok", "note", "problem"]
    detail: str
    mend: str = ""


def doctor(
    *,
    connect: Annotated[
        bool, typer.Option("--connect", help="Also sign in to WRDS, which may ask for a second factor.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at this installation: settings, home, disk, database, sources. Exit 1 when something does not work."""
    settings = load_settings()
    require_here(settings)
    findings = [_python(), *_examine("home", _home, settings), *_examine("database", _database, settings)]
    findings += [*_examine("audit key", _key, settings), *_examine("WRDS", _wrds, settings)]
    findings += _examine("data library", _factors, settings)
    findings += [*_examine("backups", _backups, settings), *_examine("daemon", _daemon, settings)]
    findings.append(_sandbox(settings))
    if connect:
        findings += _examine("WRDS sign-in", _sign_in, settings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [[f.what, f.state, f.detail, f.mend] for f in findings]
        print_table("Doctor", ["What", "State", "Found", "To mend it"], rows)
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(1)


def _examine(what: str, look: Callable[[Settings], list[Finding]], settings: Settings) -> list[Finding]:
    try:
        return look(settings)
    except PlatformError as error:
        return [Finding(what, "problem", error.message, error.hint or "")]
    except OSError as error:
        return [Finding(what, "problem", *explain(error))]


def _python() -> Finding:
    return Finding("python", "ok", f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}")


def _home(settings: Settings) -> list[Finding]:
    warehouse = Warehouse(settings.warehouse_root)
    disk = warehouse.disk()
    mode = settings.home.stat().st_mode & 0o777
    private = mode & 0o077 == 0
    return [
        Finding(
            "home",
            "ok" if private else "note",
            f"{settings.home} (mode {mode:04o})",
            "" if private else f"Others on this machine can look into it: chmod 0700 {settings.home}",
        ),
        Finding(
            "disk", "ok" if disk.level == "ok" else "problem" if disk.level == "critical" else "note", disk.message
        ),
    ]


def _database(settings: Settings) -> list[Finding]:
    with open_databases(settings) as databases:
        states = migration_status(databases)
    missing = [state.name for state in states if not state.applied]
    kind = "embedded PostgreSQL" if databases.embedded else "your own PostgreSQL"
    return [
        Finding("database", "ok", f"{kind}, reached"),
        Finding(
            "tables",
            "note" if missing else "ok",
            f"{len(states) - len(missing)} of {len(states)} migrations applied",
            "The next command applies them, or: data-platform db migrate" if missing else "",
        ),
    ]


def _key(settings: Settings) -> list[Finding]:
    open_cipher(settings)
    if settings.query_audit_encryption_key:
        return [Finding("audit key", "ok", VARIABLE)]
    age = (time.time() - key_path(settings).stat().st_mtime) / _DAY_SECONDS
    origin = f"kept in the home, {age:.0f} days old"
    if age > _ROTATE_AFTER_DAYS:
        return [Finding("audit key", "note", origin, "Keys are rotated each quarter: data-platform audit rotate")]
    return [Finding("audit key", "ok", origin)]


def _backups(settings: Settings) -> list[Finding]:
    if settings.backup_key is None:
        mend = "data-platform backup new-key, then DATA_PLATFORM_BACKUP_KEY and DATA_PLATFORM_BACKUP_URL"
        return [Finding("backups", "note", "no key is set, so none can be made", mend)]
    backups = open_backups(settings)
    names = backups.names()
    if not names:
        return [Finding("backups", "note", f"none at {backups.place} yet", "data-platform backup run")]
    return [Finding("backups", "ok", f"{len(names)} at {backups.place}, the newest {names[-1].set_id}")]


def _wrds(settings: Settings) -> list[Finding]:
    if settings.wrds_username:
        where = f"{settings.wrds_username} at {settings.wrds_host}:{settings.wrds_port}"
        secret = "with a password" if settings.wrds_password else "without a password (~/.pgpass is used)"
        return [Finding("WRDS", "ok", f"{where}, {secret}"), *_expiry(settings)]
    marker = demo_marker(settings)
    if marker:
        return [Finding("WRDS", "note", f"the demo's synthetic market, {marker.first_year} to {marker.last_year}")]
    mend = "Set DATA_PLATFORM_WRDS_USERNAME and DATA_PLATFORM_WRDS_PASSWORD, or run: data-platform demo"
    return [Finding("WRDS", "note", "no account is set", mend)]


def _expiry(settings: Settings) -> list[Finding]:
    expires = settings.wrds_password_expires
    if expires is None:
        return []
    mend = "Change it at WRDS, then DATA_PLATFORM_WRDS_PASSWORD and DATA_PLATFORM_WRDS_PASSWORD_EXPIRES"
    today = dt.datetime.now(dt.UTC).date()
    return [
        Finding("WRDS password", "problem" if watch.severity == "error" else "note", watch.message, mend)
        for watch in credential_expiry(expires, today)
    ] or [Finding("WRDS password", "ok", f"until {expires}")]


def _daemon(settings: Settings) -> list[Finding]:
    """Asked here too: where no daemon runs, no sensor can say so."""
    if not (settings.home / "dagster").is_dir():
        return [Finding("daemon", "note", "it has never run here", "Schedules and alerts need it: data-platform up")]
    from data_platform.orchestration.instance import open_instance  # noqa: PLC0415 - Dagster takes seconds to import
    from data_platform.orchestration.watching import daemon_states  # noqa: PLC0415 - as above

    with open_databases(settings) as databases, open_instance(settings, databases) as instance:
        daemons = daemon_states(instance)
    now = dt.datetime.now(dt.UTC)
    beats = [daemon.heartbeat_at for daemon in daemons if daemon.heartbeat_at is not None]
    if all(daemon.is_silent(now) for daemon in daemons):
        last = f"its last sign of life is of {max(beats):%Y-%m-%d %H:%M} UTC" if beats else "it has never run here"
        return [Finding("daemon", "note", last, "Schedules and alerts need it: data-platform up")]
    found = unhealthy_daemons(daemons, now)
    mend = "See what `data-platform up` prints; start it again"
    return [Finding("daemon", "problem", watch.message, mend) for watch in found] or [
        Finding("daemon", "ok", f"{len(daemons)} parts, all alive")
    ]


def _sandbox(settings: Settings) -> Finding:
    report = confinement_report()
    if report.complete:
        return Finding("query sandbox", "ok", str(report))
    return Finding("query sandbox", "problem" if settings.require_sandbox else "note", str(report), MEND)


def _sign_in(settings: Settings) -> list[Finding]:
    with open_databases(settings) as databases:
        problems = entitlements(TABLES.values(), settings, databases)
    findings = [Finding("WRDS sign-in", "ok", "signed in")]
    for dataset in DATASETS.values():
        asked = [table.name for table in dataset.tables if table.name in problems]
        kept = [problem for name in asked if (problem := problems[name]) is not None]
        if asked:
            state = f"{len(asked) - len(kept)} of {len(asked)} tables can be read"
            findings.append(Finding(f"WRDS {dataset.name}", "note" if kept else "ok", state))
        findings += [Finding(f"WRDS {dataset.name}", "note", problem.message, problem.hint or "") for problem in kept]
    return findings


def _factors(settings: Settings) -> list[Finding]:
    if settings.ken_french_url is None and demo_marker(settings):
        return [Finding("data library", "note", "the demo's synthetic files")]
    address = urlsplit(settings.ken_french_url or KEN_FRENCH_URL)
    # Host and path alone: an address may carry a password.
    return [Finding("data library", "ok", f"{address.hostname or 'no host'}{address.path} (not tried)")]
