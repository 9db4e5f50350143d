"""The commands for accounts, the audit and the records' retention, as an administrator and as others use them."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from dagster._daemon.types import DaemonHeartbeat

from data_platform.orchestration.instance import open_instance
from data_platform.records.databases import open_databases
from data_platform.records.embedded.bootstrap import PLATFORM_DB
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import open_embedded
from data_platform.settings import Settings
from data_platform_tests.cli.conftest import Ran, run_here

Command = Callable[..., Ran]


@pytest.fixture
def platform(home: Path) -> Command:
    return lambda *arguments, **variables: run_here(home / "h", *arguments, **variables)


@pytest.fixture
def server(home: Path) -> Any:  # noqa: ANN401 - keeps the server of the home up for the test's commands
    with open_embedded(home / "h") as opened:
        yield opened


def token_of(platform: Command, user: str, role: str) -> dict[str, str]:
    assert platform("users", "add", user, "--role", role).code == 0
    made = platform("users", "token", user, "--json").json
    return {"DATA_PLATFORM_TOKEN": made["token"]}


@pytest.mark.usefixtures("server")
def test_an_account_from_its_beginning_to_its_end(platform: Command) -> None:
    ann = token_of(platform, "ann", "admin")
    ben = token_of(platform, "ben", "analyst")
    assert platform("users", "list", **ben).code == 3
    assert [user["user_id"] for user in platform("users", "list", "--json", **ann).json] == ["ann", "ben"]
    assert platform("users", "grant", "ben", "dataset:taq", "--reason", "project 7", **ann).code == 0
    assert platform("users", "revoke", "ben", "dataset:crsp").code == 0
    last = platform("users", "disable", "ann")
    assert (last.code, "ann is the last administrator" in last.err) == (2, True)
    demoted = platform("users", "set-role", "ann", "viewer", **ann)
    assert (demoted.code, "last administrator" in demoted.err) == (2, True)
    assert platform("users", "disable", "ben").code == 0
    closed = platform("audit", "show", **ben)
    assert (closed.code, "disabled" in closed.err) == (3, True)
    assert platform("users", "enable", "ben").code == 0
    assert platform("audit", "show", **ben).code == 0
    tokens = platform("users", "tokens", "ben", "--json").json
    assert [(token["user_id"], token["revoked_at"]) for token in tokens] == [("ben", None)]
    assert platform("users", "revoke-token", str(tokens[0]["id"])).code == 0
    for _ in range(2):
        assert platform("audit", "show", **ben).code == 3
    again = platform("users", "revoke-token", str(tokens[0]["id"]))
    assert (again.code, "revoked already" in again.err) == (2, True)
    entries = platform("audit", "show", "--json").json
    assert [entry["action"] for entry in entries[::-1]] == [
        "users.add",
        "tokens.create",
        "users.add",
        "tokens.create",
        "users.grant",
        "users.revocation",
        "users.disable",
        "users.enable",
        "tokens.revoke",
    ]
    bens = platform("audit", "show", "--subject", "ben", "--action", "users.grant", "--json").json
    assert [entry["id"] for entry in bens] == [entries[::-1][4]["id"]]
    grant = entries[::-1][4]
    assert (grant["actor"], grant["subject"], grant["reason"]) == ("ann", "ben", "project 7")
    assert ann["DATA_PLATFORM_TOKEN"] not in str(entries)
    assert platform("audit", "verify").code == 0


@pytest.mark.usefixtures("server")
def test_the_audit_is_read_verified_rotated_and_archived(platform: Command) -> None:
    ann = token_of(platform, "ann", "viewer")
    platform("users", "grant", "ann", "dataset:crsp")
    for dataset in ("crsp", "fama_french"):
        denied = platform("query", "--dataset", dataset, "SELECT 'private'", **ann)
        assert (denied.code, "requires query:data" in denied.err) == (3, True)
    platform("users", "revoke", "ann", "dataset:crsp")
    everybodys = platform("audit", "show", "queries", "--texts", "--json").json
    assert [(row["user_id"], row["dataset"], row["result"], row["query"]) for row in everybodys] == [
        ("ann", "fama_french", "denied", "SELECT 'private'"),
        ("ann", "crsp", "denied", "SELECT 'private'"),
    ]
    # Of a dataset that she may not see any more she does not see her queries either.
    own = platform("audit", "show", "queries", "--json", **ann).json
    assert [row["dataset"] for row in own] == ["fama_french"]
    assert "private" not in str(own) + str(platform("audit", "show", "--json").json)
    verified = platform("audit", "verify", "--json").json
    assert [(report["chain"], report["texts_checked"], report["breaks"]) for report in verified] == [
        ("data_query_audit", 2, []),
        ("platform_audit", 0, []),
    ]
    rotated = platform("audit", "rotate", "--json").json
    assert (rotated["renewed"], rotated["findings"]) == (2, [])
    planned = platform("db", "retention", "--dry-run", "--json").json
    assert {report["table"]: report["rows"] for report in planned}["platform_audit"] == 0
    done = platform("db", "retention")
    assert (done.code, "Nothing is old enough" in done.err) == (0, True)
    assert platform("audit", "archives").err.startswith("Nothing was archived yet")
    for forbidden in (["verify"], ["rotate"], ["archives"], ["show", "--archive", "x"]):
        assert platform("audit", *forbidden, **ann).code == 3, forbidden
    assert platform("db", "retention", **ann).code == 3


def test_a_changed_audit_exits_with_six_and_names_the_row(platform: Command, server: Any) -> None:  # noqa: ANN401 - see the fixture
    for user in ("ann", "ben", "carl"):
        assert platform("users", "add", user, "--role", "viewer").code == 0
    with psycopg.connect(server.url(SUPERUSER, PLATFORM_DB), autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("UPDATE platform.platform_audit SET subject = 'eve' WHERE id = 2")
    ran = platform("audit", "verify")
    assert ran.code == 6
    assert "platform_audit: row 2 was changed." in ran.err
    assert "Traceback" not in ran.err
    assert platform("audit", "verify", "--json").json[1]["breaks"] == [
        {"row": 2, "kind": "changed", "message": "row 2 was changed"}
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["audit", "show", "queries", "--action", "x"], 2, "Queries have no action"),
        (["audit", "show", "--texts"], 2, "Actions have no texts"),
        (["audit", "show", "--archive", "nothing"], 2, "There is no archive 'nothing'"),
        (["audit", "show", "queries", "--dataset", "crps"], 2, "Unknown dataset 'crps'.\nDid you mean crsp?"),
        (["audit", "show", "--dataset", "crps"], 2, "Unknown dataset 'crps'."),
        (["audit", "show", "--limit", "0"], 2, "--limit"),
        (["audit", "show", "--archive", "x", "--user", "ann"], 2, "An archive is shown whole"),
        (["audit", "rotate"], 2, "holds one key"),
        # Before anything is done, whatever the command does.
        (["lock", "release", "crsp_daily", "nonce", "--reason", "x" * 2001], 2, "2,001 characters long"),
        (["rollback", "crsp_daily", "--reason", "x" * 2001], 2, "2,001 characters long"),
        (["sync", "crsp_daily", "--all", "--reason", "x" * 2001], 2, "2,001 characters long"),
        (["users", "grant", "ann", "dataset:nothing"], 2, "is no permission"),
        (["users", "add", "system:sync", "--role", "admin"], 2, "can't be a user's name"),
        (["users", "tokens", "eve"], 2, "There is no user 'eve'"),
        (["users", "add", "ann", "--role", "viewer", "--reason", "x" * 2001], 2, "2,001 characters long"),
    ],
)
def test_bad_input_is_one_clear_error(postgres_home: Path, arguments: list[str], code: int, said: str) -> None:
    ran = run_here(postgres_home, *arguments, QUERY_AUDIT_ENCRYPTION_KEY=Fernet.generate_key().decode())
    assert (ran.code, said in ran.err) == (code, True), ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_a_new_key_is_shown_once_and_kept_nowhere(platform: Command, home: Path) -> None:
    key = platform("audit", "new-key").out.strip()
    Fernet(key)
    assert not (home / "h").exists()
    assert platform("audit", "new-key", "--json").json["key"] != key


@pytest.mark.usefixtures("server")
def test_doctor_reminds_of_an_old_key(platform: Command, home: Path) -> None:
    platform("audit", "verify")
    findings = {finding["what"]: finding for finding in platform("doctor", "--json").json}
    assert findings["audit key"]["state"] == "ok"
    old = time.time() - 91 * 86_400
    os.utime(home / "h" / "secrets" / "query_audit.key", (old, old))
    findings = {finding["what"]: finding for finding in platform("doctor", "--json").json}
    assert (findings["audit key"]["state"], "audit rotate" in findings["audit key"]["mend"]) == ("note", True)


@pytest.mark.usefixtures("server")
def test_doctor_says_of_a_daemon_whether_it_lives_and_warns_of_a_password_that_ends(
    platform: Command, home: Path
) -> None:
    def found(what: str, **variables: str) -> tuple[str, str]:
        findings = {finding["what"]: finding for finding in platform("doctor", "--json", **variables).json}
        return findings[what]["state"], findings[what]["detail"]

    assert found("daemon") == ("note", "it has never run here")
    settings = Settings(home=home / "h")
    now = dt.datetime.now(dt.UTC)
    with open_databases(settings) as databases, open_instance(settings, databases) as instance:
        names = instance.get_required_daemon_types()
        for name in names:
            instance.add_daemon_heartbeat(DaemonHeartbeat(now.timestamp() - 3600, name, "test"))
        state, detail = found("daemon")
        assert (state, detail.startswith("its last sign of life is of ")) == ("note", True)
        for name in names[1:]:
            instance.add_daemon_heartbeat(DaemonHeartbeat(now.timestamp(), name, "test"))
        state, detail = found("daemon")
        assert (state, f"{names[0]} gives no sign of life" in detail) == ("problem", True)
        instance.add_daemon_heartbeat(DaemonHeartbeat(now.timestamp(), names[0], "test"))
        assert found("daemon") == ("ok", f"{len(names)} parts, all alive")
    for days, state in ((200, "ok"), (20, "note"), (2, "problem")):
        ends = (now + dt.timedelta(days=days)).date().isoformat()
        account = {"DATA_PLATFORM_WRDS_USERNAME": "somebody", "DATA_PLATFORM_WRDS_PASSWORD_EXPIRES": ends}
        said, detail = found("WRDS password", **account)
        assert (said, ends in detail) == (state, True)
