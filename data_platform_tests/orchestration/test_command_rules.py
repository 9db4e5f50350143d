"""`data-platform sync` in somebody's name meets the rules of manual syncs; without a token it is the machine's own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from data_platform.catalog import TABLES
from data_platform.records import platform_audit
from data_platform.records.connection import open_records
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform_tests.cli.conftest import run_here


def test_a_sync_with_a_token_needs_a_reason_and_a_place_and_is_recorded(demo_copy: Path) -> None:
    with open_records(Settings(home=demo_copy)) as records:
        platform = partial(run_here, demo_copy)
        platform("users", "add", "otto", "--role", "operator")
        token = platform("users", "token", "otto", "--json").json["token"]
        sync = partial(platform, "sync", "crsp_daily", "-p", "2024", DATA_PLATFORM_TOKEN=token)
        silent = sync()
        assert (silent.code, "needs a reason" in silent.err) == (2, True)
        assert sync("--reason", "new data").code == 0
        second = sync("--reason", "again")
        assert (second.code, "Please wait" in second.err) == (4, True)
        assert platform("sync", "crsp_daily", "-p", "2024").code == 0
        with records.transaction(Scope.system("test")) as connection:
            (launch,) = platform_audit.recent(connection, action="sync.launch")
            refused = platform_audit.recent(connection, action="sync.refused")
        assert (launch.actor, launch.subject, launch.reason) == ("otto", "crsp_daily", "new data")
        assert launch.new_value == {"as": "data-platform sync", "partitions": ["2024"]}
        assert [entry.new_value["error"] for entry in refused if entry.new_value] == ["RateLimitedError", "UsageError"]


def test_who_may_not_sync_is_refused_and_recorded(demo_copy: Path) -> None:
    with open_records(Settings(home=demo_copy)) as records:
        platform = partial(run_here, demo_copy)
        platform("users", "add", "vera", "--role", "viewer")
        token = platform("users", "token", "vera", "--json").json["token"]
        for wanted in (("ff_factors_daily",), ("--dataset", "fama_french"), ("--all",)):
            assert platform("sync", *wanted, "--reason", "mine", DATA_PLATFORM_TOKEN=token).code == 3
        with records.transaction(Scope.system("test")) as connection:
            refused = platform_audit.recent(connection, "vera", 500, action="sync.refused")
    assert {entry.subject for entry in refused} == set(TABLES)
    assert len([entry for entry in refused if entry.subject == "ff_factors_daily"]) == 3
    assert {(entry.new_value or {})["error"] for entry in refused} == {"NotPermittedError"}
