"""A session that is cut in the middle: nothing half published; the run goes on with another, or the next run does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import psycopg
import pytest

from data_platform.catalog import find_table
from data_platform.errors import SourceError
from data_platform.records import sync_logs
from data_platform.records.databases import Databases
from data_platform.records.scope import Scope
from data_platform.sync import SyncContext, SyncOutcome, SyncStatus, sync_partitions
from data_platform.sync.run import ATTEMPTS
from data_platform_tests.demo_fixtures import with_account
from data_platform_tests.sources.forwarding import Forwarder

CRSP = find_table("crsp_daily")
YEARS = ["2023", "2024"]
CUT_AFTER = 300_000
"""Bytes: more than everything but a year's rows, and less than those."""


@pytest.fixture
def wire(wrds: Databases) -> Iterator[Forwarder]:
    """The way to this test's WRDS, to be cut."""
    assert wrds.demo is not None
    with Forwarder(wrds.demo.socket_folder / f".s.PGSQL.{wrds.demo.port}", wrds.demo.port) as running:
        yield running


@pytest.fixture
def over_the_wire(context: SyncContext, wrds: Databases, wire: Forwarder) -> SyncContext:
    demo = wrds.demo
    assert demo is not None
    named = with_account(context.settings, demo, wrds_host=str(wire.folder), start_year=2023)
    return dataclasses.replace(context, settings=named, retry_seconds=0.05)


def _versions(context: SyncContext) -> int:
    return context.warehouse.manifests(CRSP.name).latest_number()


def _nothing_left_behind(context: SyncContext) -> bool:
    return context.warehouse.locks() == [] and list(context.warehouse.staging_root.iterdir()) == []


def test_a_cut_session_is_opened_again_and_the_partition_begun_anew(
    over_the_wire: SyncContext, wire: Forwarder, wrds_owner: psycopg.Connection
) -> None:
    context = over_the_wire
    wire.cuts, wire.cut_after = 1, CUT_AFTER
    results = list(sync_partitions(context, CRSP, YEARS))

    assert [(r.partition, r.status) for r in results if isinstance(r, SyncOutcome)] == [
        ("2023", SyncStatus.PUBLISHED),
        ("2024", SyncStatus.PUBLISHED),
    ]
    assert wire.connections == 2
    assert _nothing_left_behind(context)
    (found,) = wrds_owner.execute("SELECT count(*) FROM crsp.dsf_v2").fetchone() or (0,)
    assert context.warehouse.reader(CRSP.name).pin().manifest.row_count == found
    with context.records.transaction(Scope.system("test")) as connection:
        lines = [line for line in sync_logs.recent(connection, level="WARN") if line.sync_run_id == context.run_id]
    assert len(lines) == 1
    assert "Opening another session" in lines[0].message


def test_a_line_that_is_always_cut_ends_the_run_and_the_next_one_goes_on_where_it_ended(
    over_the_wire: SyncContext, wire: Forwarder
) -> None:
    context = over_the_wire
    assert len(list(sync_partitions(context, CRSP, ["2023"]))) == 1
    before = wire.connections
    wire.cuts, wire.cut_after = 99, CUT_AFTER
    words = r"crsp_daily 2024: the server closed the connection after [\d,]+ rows"
    with pytest.raises(SourceError, match=words) as caught:
        list(sync_partitions(context, CRSP, YEARS))
    assert caught.value.transient
    assert wire.connections - before == ATTEMPTS
    assert _versions(context) == 1
    assert _nothing_left_behind(context)

    wire.cuts = 0
    results = [r for r in sync_partitions(context, CRSP, YEARS) if isinstance(r, SyncOutcome)]
    assert [(r.partition, r.status) for r in results] == [
        ("2023", SyncStatus.UP_TO_DATE),
        ("2024", SyncStatus.PUBLISHED),
    ]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("REVOKE SELECT ON crsp.dsf_v2 FROM {reader}", "may not read crsp.dsf_v2"),
        ("REVOKE USAGE ON SCHEMA crsp FROM {reader}", "may not read crsp.dsf_v2"),
    ],
)
def test_what_another_session_would_not_mend_is_not_tried_again(
    over_the_wire: SyncContext,
    wire: Forwarder,
    wrds: Databases,
    wrds_owner: psycopg.Connection,
    spoil: str,
    words: str,
) -> None:
    assert wrds.demo is not None
    wrds_owner.execute(spoil.format(reader=wrds.demo.reader))
    with pytest.raises(SourceError, match=words):
        list(sync_partitions(over_the_wire, CRSP, YEARS))
    assert wire.connections == 1
