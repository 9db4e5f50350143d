"""Pruning Dagster's event log: old runs are exported with all their events, then deleted through the instance.

Dagster has no retention of its own for runs. What it knows of an asset's partition is the newest materialization in
this log, so a run that holds one stays however old it is: otherwise a partition that nobody needs to sync again would
look as if it had never been there.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import dagster as dg

from data_platform.governance.archiving import archive_documents
from data_platform.governance.permissions import User, require_administrator
from data_platform.orchestration.resource import Platform

KEEP_RUNS: Final = dt.timedelta(days=90)
"""After a run's end, as the audit's rows are kept."""

ARCHIVE: Final = "dagster_runs"
"""What the exports are called among the archives."""

EVENTS_PER_ARCHIVE: Final = 5_000
"""About; a run is never cut in two. So much is in memory at once."""

_ENDED: Final = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_PAGE: Final = 1_000

Documents = list[dict[str, Any]]


@dataclass(slots=True)
class PrunedRuns:
    """What was, or would be, deleted; `kept` counts old runs that hold the newest materialization of something."""

    runs: int = 0
    events: int = 0
    kept: int = 0
    archives: list[str] = field(default_factory=list[str])
    archived_bytes: int = 0


def prune_runs(
    instance: dg.DagsterInstance,
    platform: Platform,
    user: User,
    now: dt.datetime,
    *,
    dry_run: bool,
    keep: dt.timedelta = KEEP_RUNS,
    events_per_archive: int = EVENTS_PER_ARCHIVE,
) -> PrunedRuns:
    """Export and delete the runs that ended before `now - keep`, oldest first; what they printed is deleted too.

    Runs that have not ended stay. A run that is killed between an export and the deletion is exported again.

    Raises:
        NotPermittedError: for everyone but administrators.
        LockBusyError, ConfigurationError, ChecksumMismatchError, DatabaseUnavailableError: when an export could not be
            made; its runs and those after it stay.
    """
    require_administrator(user)
    done = PrunedRuns()
    needed = runs_of_newest_materializations(instance)
    batch: dict[str, Documents] = {}
    for run_id in ended_runs(instance, now - keep):
        if run_id in needed:
            done.kept += 1
            continue
        batch[run_id] = run_documents(instance, run_id, now)
        done.runs += 1
        done.events += len(batch[run_id]) - 1
        if dry_run:
            batch.clear()
        elif sum(map(len, batch.values())) >= events_per_archive:
            _let_go(instance, platform, user, batch, done)
    if batch:
        _let_go(instance, platform, user, batch, done)
    return done


def ended_runs(instance: dg.DagsterInstance, before: dt.datetime) -> list[str]:
    """The runs that have ended and were not touched since, oldest first."""
    filters = dg.RunsFilter(statuses=_ENDED, updated_before=before)
    # All at once: pages go on from the last run of the page before, which may be deleted by then.
    return list(reversed(instance.get_run_ids(filters)))


def runs_of_newest_materializations(instance: dg.DagsterInstance) -> set[str]:
    """The runs without which Dagster would not know that a partition, or an asset kept whole, is there."""
    found: set[str] = set()
    for key in instance.all_asset_keys():
        newest = instance.event_log_storage.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        ids = sorted(newest.values())
        for start in range(0, len(ids), _PAGE):
            some = dg.AssetRecordsFilter(asset_key=key, storage_ids=ids[start : start + _PAGE])
            found |= {record.run_id for record in instance.fetch_materializations(some, limit=_PAGE).records}
        found |= {record.run_id for record in instance.fetch_materializations(key, limit=1).records}
    return found


def run_documents(instance: dg.DagsterInstance, run_id: str, now: dt.datetime) -> Documents:
    """A run as it is exported: its own record first, then its events in order, as Dagster serializes them."""
    (record,) = instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    head = {
        "run_id": run_id,
        "at": record.create_timestamp.isoformat(),
        "exported_at": now.isoformat(),
        "updated_at": record.update_timestamp.isoformat(),
        "run": json.loads(dg.serialize_value(record.dagster_run)),
    }
    return [head, *_events(instance, run_id)]


def _events(instance: dg.DagsterInstance, run_id: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = instance.get_records_for_run(run_id, cursor=cursor, limit=_PAGE)
        for record in page.records:
            yield {
                "run_id": run_id,
                "at": dt.datetime.fromtimestamp(record.timestamp, dt.UTC).isoformat(),
                "event": json.loads(dg.serialize_value(record.event_log_entry)),
            }
        if not page.has_more:
            return
        cursor = page.cursor


def _let_go(
    instance: dg.DagsterInstance, platform: Platform, user: User, batch: dict[str, Documents], done: PrunedRuns
) -> None:
    documents = [document for run in batch.values() for document in run]
    times = [dt.datetime.fromisoformat(each["at"]) for each in documents]
    archive = archive_documents(platform.records, platform.settings, user, ARCHIVE, documents, (min(times), max(times)))
    for run_id in batch:
        # The events first: interrupted, the run is still there to be taken up by the next one.
        instance.event_log_storage.delete_events(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
    done.archives.append(archive.file_name)
    done.archived_bytes += (platform.settings.home / "archives" / archive.file_name).stat().st_size
    batch.clear()
