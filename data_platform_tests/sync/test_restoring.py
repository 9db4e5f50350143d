"""A quarantined partition is published only after it passed validation again."""

from __future__ import annotations

import dataclasses

import psycopg
import pytest

from data_platform.catalog import find_table
from data_platform.errors import LockBusyError, QuarantineError, SyncValidationError
from data_platform.records import sync_logs
from data_platform.records.scope import Scope
from data_platform.sync import SyncContext, sync_partition
from data_platform.sync.restoring import restore_quarantined
from data_platform.warehouse.quarantine import QuarantineEntry

CRSP = find_table("crsp_daily")


@pytest.fixture
def missed(context: SyncContext, wrds_owner: psycopg.Connection) -> QuarantineEntry:
    """2024 lost a tenth of its securities against 2023, and was set aside for that alone."""
    sync_partition(context, CRSP, "2023")
    wrds_owner.execute(
        "DELETE FROM crsp.dsf_v2 WHERE dlycaldt >= '2024-01-01' AND permno IN "
        "(SELECT DISTINCT permno FROM crsp.dsf_v2 ORDER BY permno LIMIT 12)"
    )
    with pytest.raises(SyncValidationError):
        sync_partition(context, CRSP, "2024")
    (entry,) = context.warehouse.quarantine.entries()
    return entry


def test_what_still_fails_stays_in_quarantine(context: SyncContext, missed: QuarantineEntry) -> None:
    with pytest.raises(SyncValidationError, match="still fails validation and stays in quarantine") as caught:
        restore_quarantined(context, missed)
    assert caught.value.exit_code == 6
    assert context.warehouse.quarantine.entries() == [missed]
    assert context.warehouse.manifests(CRSP.name).latest_number() == 1
    assert context.warehouse.locks() == []


def test_what_passes_now_is_published_and_leaves_quarantine(context: SyncContext, missed: QuarantineEntry) -> None:
    elsewhere = dataclasses.replace(context, warehouse=type(context.warehouse)(context.warehouse.root / "other"))
    folder = context.warehouse.quarantine.folder(missed)
    elsewhere.warehouse.quarantine.add(missed, moved={n: folder / n for n in missed.files}, written={})
    manifest = restore_quarantined(elsewhere, missed)  # there is no 2023 beside it here, which it would fall short of
    assert elsewhere.warehouse.quarantine.entries() == []
    entry = manifest.file("2024")
    assert entry is not None
    assert (entry.rows, entry.source, entry.source_fingerprint) == (
        missed.row_count,
        missed.source,
        missed.source_fingerprint,
    )
    assert {check.status for check in entry.checks} == {"passed"}
    assert elsewhere.warehouse.reader(CRSP.name).pin().scan().collect().height == missed.row_count
    with context.records.transaction(Scope.system("test")) as connection:
        messages = [log.message for log in sync_logs.recent(connection, limit=50)]
    assert "2024: restored from quarantine as version 1" in messages


def test_rows_that_the_source_had_and_the_file_has_not_are_still_missed(
    context: SyncContext, missed: QuarantineEntry
) -> None:
    assert missed.source_rows == missed.row_count is not None
    half = missed.model_copy(update={"source_rows": 2 * (missed.row_count or 0)})
    elsewhere = dataclasses.replace(context, warehouse=type(context.warehouse)(context.warehouse.root / "other"))
    folder = context.warehouse.quarantine.folder(missed)
    elsewhere.warehouse.quarantine.add(half, moved={n: folder / n for n in half.files}, written={})
    with pytest.raises(SyncValidationError, match="row_count"):
        restore_quarantined(elsewhere, half)


def test_an_older_state_never_replaces_a_newer_one(context: SyncContext, missed: QuarantineEntry) -> None:
    newer = context.warehouse.manifests(CRSP.name).latest()
    assert newer is not None
    older = missed.model_copy(update={"partition": "2023", "created_at": newer.sync_timestamp.replace(year=2020)})
    with pytest.raises(QuarantineError, match="published again after") as caught:
        restore_quarantined(context, older)
    assert f"quarantine delete {missed.entry_id}" in str(caught.value)


def test_an_entry_without_rows_cannot_be_restored(context: SyncContext, missed: QuarantineEntry) -> None:
    with pytest.raises(QuarantineError, match="holds no rows"):
        restore_quarantined(context, missed.model_copy(update={"files": ("raw.zip",)}))


def test_a_locked_table_is_left_alone(context: SyncContext, missed: QuarantineEntry) -> None:
    with context.warehouse.lock(CRSP.name).acquire(), pytest.raises(LockBusyError):
        restore_quarantined(context, missed)
    assert context.warehouse.quarantine.entries() == [missed]


@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_damaged_entry_is_one_clear_error(context: SyncContext, missed: QuarantineEntry, how: str) -> None:
    path = context.warehouse.quarantine.folder(missed) / missed.files[0]
    if how == "gone":
        path.unlink()
    else:
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(QuarantineError, match="gone or damaged") as caught:
        restore_quarantined(context, missed)
    assert "data-platform sync crsp_daily --partition 2024 --full" in str(caught.value)
    assert list(context.warehouse.staging_root.iterdir()) == []
