"""Commands with DATA_PLATFORM_URL: the same output and exit codes from a server; the others say where they work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv as pa_csv
import pytest

from data_platform_tests.cli.conftest import Ran, run, run_here
from data_platform_tests.client.test_client import answering
from data_platform_tests.orchestration.api.served import ROWS, Served

SQL = "SELECT permno, count(*) AS n, min(date) AS first FROM crsp_daily GROUP BY permno ORDER BY permno"


@pytest.fixture
def there(served: Served, tmp_path: Path) -> Callable[..., Ran]:
    """Run a command against the server in an operator's name; its own home does not exist and never will."""

    def call(*arguments: str, person: str = "operator") -> Ran:
        token = served.world.tokens[person]
        done = run_here(tmp_path / "none", *arguments, DATA_PLATFORM_URL=served.url, DATA_PLATFORM_TOKEN=token)
        assert not (tmp_path / "none").exists()
        return done

    return call


@pytest.fixture
def here(served: Served) -> Callable[..., Ran]:
    """Run the same on the server's own home."""

    def call(*arguments: str, person: str = "operator") -> Ran:
        return run_here(
            served.settings.home,
            *arguments,
            DATA_PLATFORM_TOKEN=served.world.tokens[person],
            DATA_PLATFORM_QUERIES_PER_MINUTE="100000",
            DATA_PLATFORM_EXPORTS_PER_HOUR="10000",
        )

    return call


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "-d", "crsp", SQL),
        ("query", "-d", "crsp", "--json", SQL),
        ("query", "-d", "crsp", "--format", "csv", "--param", "p=10001", "SELECT * FROM crsp_daily WHERE permno = $p"),
        ("query", "-d", "crsp", "--page-size", "100", "--page", "2", "--format", "csv", "SELECT * FROM crsp_daily"),
        ("query", "-d", "crsp", "--all", "--format", "csv", "--as-of", "1", "SELECT * FROM crsp_daily"),
        ("query", "-d", "crsp", "SELECT nothing FROM crsp_daily"),
        ("query", "-d", "compustat", "SELECT 1"),
        ("query", "-d", "nothing", "SELECT 1"),
        ("status",),
        ("status", "--json"),
        ("logs", "--json"),
        ("schedule", "list", "--json"),
        ("quality", "crsp_daily", "--json"),
        ("alerts", "list", "--json", "--state", "any"),
        ("alerts", "ack", "987654", "--reason", "seen"),
        ("coverage", "--json"),
        ("coverage", "crsp_daily"),
        ("datasets",),
        ("datasets", "crsp", "--json"),
        ("preview", "crsp", "--limit", "3"),
        ("preview", "crsp", "--limit", "3", "--json"),
    ],
    ids=" ".join,
)
def test_the_output_and_the_exit_code_are_the_same(
    there: Callable[..., Ran], here: Callable[..., Ran], arguments: tuple[str, ...]
) -> None:
    person = "viewer" if "compustat" in arguments else "operator"
    asked, ran = there(*arguments, person=person), here(*arguments, person=person)
    assert (asked.code, asked.out) == (ran.code, ran.out), asked.err
    assert _untimed(asked.err) == _untimed(ran.err)


def _untimed(text: str) -> list[str]:
    """Messages without what differs from one time to the next."""
    return [line.partition(" ms,")[0].rpartition(",")[0] for line in text.splitlines()]


def test_an_export_is_fetched_with_its_manifest(there: Callable[..., Ran], tmp_path: Path) -> None:
    done = there("export", "-d", "crsp", "--json", "-o", str(tmp_path / "rows.csv"), "SELECT * FROM crsp_daily")
    assert done.code == 0, done.err
    assert pa_csv.read_csv(tmp_path / "rows.csv").num_rows == ROWS == done.json["row_count"]
    manifest = json.loads((tmp_path / "rows.csv.manifest.json").read_text())
    assert manifest["sha256"] == done.json["sha256"]
    assert there("queries", "list", "--json").json[0]["kind"] == "export"


def test_a_sync_is_ordered_there(served: Served, there: Callable[..., Ran]) -> None:
    done = there("sync", "crsp_daily", "-p", "2024", "--reason", "restated", "--json")
    assert done.code == 0, done.err
    assert served.world.user_of(done.json["run_id"]) == "operator"
    assert there("sync", "crsp_monthly", "--reason", "x").code == 4
    assert there("sync", "--all", "--reason", "x").code == 2
    assert there("sync", "crsp_daily", "-p", "2023", "--reason", "x", person="analyst").code == 3


def test_a_schedule_is_changed_there(there: Callable[..., Ran]) -> None:
    done = there("schedule", "enable", "crsp_monthly", "--json", "--reason", "nightly")
    assert (done.code, done.json["enabled"], done.json["updated_by"]) == (0, True, "operator")
    assert there("schedule", "disable", "crsp_monthly", "--version", "999").code == 2


def test_a_server_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    done = run(tmp_path, "status", DATA_PLATFORM_URL="http://127.0.0.1:9")
    assert (done.code, "does not answer" in done.err, "Traceback" in done.err) == (1, True, False)
    refused = run_here(tmp_path, "status", DATA_PLATFORM_URL="http://data.example.org", DATA_PLATFORM_TOKEN="dp_secret")  # noqa: S106 - no real one
    assert (refused.code, "unencrypted" in refused.err, "dp_secret" in refused.err) == (2, True, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("datasets",),
        ("coverage",),
        ("logs",),
        ("schedule", "list"),
        ("queries", "list"),
        ("alerts", "list"),
        ("quality", "crsp_daily"),
        ("preview", "crsp"),
        ("query", "-d", "crsp", SQL),
        ("export", "-d", "crsp", "-o", "-", SQL),
        ("sync", "crsp_daily", "-p", "2024", "--reason", "x"),
    ],
    ids=" ".join,
)
def test_an_address_where_something_else_answers_is_one_clear_error(
    served: Served, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    # Under a path of its own Dagster's page answers, whatever is asked.
    token = served.world.tokens["admin"]
    done = run_here(tmp_path, *arguments, DATA_PLATFORM_URL=f"{served.url}/foo", DATA_PLATFORM_TOKEN=token)
    assert (done.code, done.out, "Traceback" in done.err) == (2, "", False), done.err
    assert "it is no answer of data-platform." in done.err
    assert "Is DATA_PLATFORM_URL right?" in done.err


def test_an_answer_of_another_form_is_one_clear_error(tmp_path: Path) -> None:
    for content in (b'{"status": "ok"}', b'[{"status": "ok"}]'):
        with answering((200, {}, content)) as (url, _):
            for arguments in (("status",), ("datasets",), ("preview", "crsp")):
                done = run_here(tmp_path, *arguments, DATA_PLATFORM_URL=url)
                assert (done.code, "form that is not known here" in done.err) == (2, True), done.err
