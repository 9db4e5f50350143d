"""Set-ups of what is stored: damaged files and manifests, old records, a broken chain, places for backups."""

from __future__ import annotations

import datetime as dt

import psycopg

from data_platform.governance.permissions import Role, User
from data_platform.governance.roll_up import roll_up
from data_platform.warehouse import layout
from data_platform_tests.cli.runbooks.machine import Machine
from data_platform_tests.warehouse.damage import blob_path, flip_a_bit


def a_damaged_file(machine: Machine) -> None:
    """A bit of the published file of crsp_daily 2023 is another than it was."""
    manifest = machine.warehouse.manifests("crsp_daily").latest()
    assert manifest is not None
    flip_a_bit(blob_path(machine.warehouse, manifest, "2023"))


def a_damaged_manifest(machine: Machine) -> None:
    """A bit of the latest manifest of crsp_daily is another than it was."""
    manifest = machine.warehouse.manifests("crsp_daily").latest()
    assert manifest is not None
    flip_a_bit(machine.warehouse.store.path(layout.version("crsp_daily", manifest.manifest_version)))


def old_lines(machine: Machine) -> None:
    """The lines of syncs are 40 days old."""
    with psycopg.connect(machine.records.databases.owner_url, autocommit=True) as owner:
        owner.execute("SET row_security = off")
        owner.execute("ALTER TABLE platform.data_sync_logs NO FORCE ROW LEVEL SECURITY")
        owner.execute("UPDATE platform.data_sync_logs SET created_at = created_at - interval '40 days'")
        owner.execute("ALTER TABLE platform.data_sync_logs FORCE ROW LEVEL SECURITY")


def a_changed_audit_row(machine: Machine) -> None:
    """Somebody with the owner's password has changed who did the first thing in the audit."""
    with psycopg.connect(machine.records.databases.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE platform.platform_audit NO FORCE ROW LEVEL SECURITY")
        owner.execute("ALTER TABLE platform.platform_audit DISABLE TRIGGER USER")
        owner.execute(
            "UPDATE platform.platform_audit SET actor = 'nobody' WHERE id = "
            "(SELECT min(id) FROM platform.platform_audit)"
        )
        owner.execute("ALTER TABLE platform.platform_audit ENABLE TRIGGER USER")
        owner.execute("ALTER TABLE platform.platform_audit FORCE ROW LEVEL SECURITY")


def days_summed_up(machine: Machine) -> None:
    """The job roll_up_metrics has run after midnight."""
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    roll_up(machine.records, User("system:roll_up_metrics", Role.ADMIN), tomorrow)


def a_place_for_backups(machine: Machine) -> None:
    """Folders that stand for another machine's disk and for the new home."""
    machine.names |= {"place": str(machine.folder / "nas"), "new-home": str(machine.folder / "n")}


def a_place_that_is_away(machine: Machine) -> None:
    """Where the backups should lie, something else lies."""
    place = machine.folder / "nas"
    place.rename(machine.folder / "nas-away")
    place.write_text("not mounted")


def that_place_is_back(machine: Machine) -> None:
    """The backups lie there again."""
    place = machine.folder / "nas"
    place.unlink()
    (machine.folder / "nas-away").rename(place)
