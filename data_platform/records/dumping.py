"""Dumps of whole databases with `pg_dump`, and loading them with `pg_restore`: the embedded server's own programs.

A dump is complete or fails: where row-level security would hide rows from the role that dumps, `pg_dump` refuses.
The address reaches the programs in a private service file and the password in their environment, so that neither
stands on a command line.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from psycopg import sql

from data_platform.errors import DatabaseUnavailableError, DiskSpaceError
from data_platform.records.addresses import describe, parse, redacted
from data_platform.records.databases import Databases
from data_platform.records.embedded import binaries
from data_platform.records.embedded.bootstrap import DAGSTER_DB, PLATFORM_DB
from data_platform.records.embedded.credentials import DAGSTER, OWNER, SUPERUSER
from data_platform.records.embedded.programs import gist
from data_platform.records.embedded.service import open_embedded
from data_platform.records.reaching import reach

PLATFORM_DUMP: Final = "platform.dump"
DAGSTER_DUMP: Final = "dagster.dump"
LOADING: Final = ("--no-owner", "--exit-on-error", "--single-transaction")
"""Whoever loads a dump owns what is in it; one transaction, so that half a dump is never loaded."""

_SERVICE: Final = "this"
_LOCK_WAIT_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Dumps:
    """Finished dumps, and the role that owned the records."""

    files: tuple[Path, ...]
    owner: str


def dump_records(databases: Databases, home: Path, folder: Path) -> Dumps:
    """Dump the operational database and Dagster's, where that is another one, into a private folder.

    The embedded server's superuser dumps, because row-level security binds every other role, the owner too.

    Raises:
        DatabaseUnavailableError: when the server is away, or the role may not see every row.
        DiskSpaceError: when the disk is full.
    """
    platform, dagster = folder / PLATFORM_DUMP, folder / DAGSTER_DUMP
    with reach(databases.owner_url) as connection:
        owner, dbname = connection.info.user, connection.info.dbname
    if databases.embedded:
        with open_embedded(home) as server:
            dump(server.url(SUPERUSER, dbname), platform)
            dump(server.url(SUPERUSER, DAGSTER_DB), dagster)
        return Dumps((platform, dagster), owner)
    dump(databases.owner_url, platform)
    if databases.dagster_url == databases.owner_url:
        return Dumps((platform,), owner)
    dump(databases.dagster_url, dagster)
    return Dumps((platform, dagster), owner)


def load_records(home: Path, folder: Path, owner: str) -> None:
    """Load dumps into the embedded server of a home that has no records yet.

    Raises:
        DatabaseUnavailableError: when the server can't be started, or refuses the dump.
        ConfigurationError: when the home is unfit for a server.
    """
    with open_embedded(home) as server, _standing_in(server.url(SUPERUSER, PLATFORM_DB), owner):
        load(server.url(OWNER, PLATFORM_DB), folder / PLATFORM_DUMP)
        if (folder / DAGSTER_DUMP).exists():
            load(server.url(DAGSTER, DAGSTER_DB), folder / DAGSTER_DUMP)


def dump(url: str, target: Path) -> None:
    """Write a consistent dump of one database, in `pg_dump`'s custom format.

    Raises:
        DatabaseUnavailableError: saying which database, and the gist of what `pg_dump` said.
        DiskSpaceError: when the disk is full.
    """
    arguments = ("--format=custom", f"--lock-wait-timeout={_LOCK_WAIT_MS}", f"--file={target}")
    _run("pg_dump", arguments, url, target.parent, doing="dumped")


def load(url: str, source: Path) -> None:
    """Load a dump into an empty database, all of it or nothing.

    Raises:
        DatabaseUnavailableError: saying which database, and the gist of what `pg_restore` said.
    """
    _run("pg_restore", (*LOADING, str(source)), url, source.parent, doing="loaded")


def _run(program: str, arguments: Sequence[str], url: str, folder: Path, *, doing: str) -> None:
    installation = binaries.choose_installation(binaries.installations(), None)
    with _environment(url, folder) as environment:
        finished = subprocess.run(  # noqa: S603 - a program of our own wheel, no shell
            [str(installation.bin / program), f"--dbname=service={_SERVICE}", "--no-password", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            umask=0o077,
            check=False,
        )
    if finished.returncode == 0:
        return
    said = finished.stderr.decode(errors="replace")
    if "No space left" in said:
        raise DiskSpaceError(f"No space left while a database was {doing} in {folder}.", hint="Free some space first.")
    reason = redacted(gist(said) or f"{program} ended with code {finished.returncode}", url)
    raise DatabaseUnavailableError(f"The {describe(url)} can't be {doing}: {reason}.", hint=_hint(said, url))


def _hint(said: str, url: str) -> str:
    if "row-level security" in said:
        role = parse(url).get("user", "the role in DATA_PLATFORM_POSTGRES_URL")
        return f'Row-level security hides rows from it. As an administrator run: ALTER ROLE "{role}" BYPASSRLS;'
    if "version mismatch" in said:
        return "The server is newer than the pg_dump of this installation; update the project's requirements."
    return "Check that the server runs and that the role may read and create everything in the database."


@contextmanager
def _standing_in(url: str, owner: str) -> Generator[None]:
    """Let policies that name the records' former owner be loaded, and make them name the present one."""
    if owner == OWNER:
        yield
        return
    former = sql.Identifier(owner)
    with reach(url) as connection:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (owner,)).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(former))
        yield
        policies = connection.execute(
            "SELECT schemaname, tablename, policyname, array_replace(roles, %(owner)s, %(present)s)::text[]"
            " FROM pg_policies WHERE %(owner)s = ANY (roles)",
            {"owner": owner, "present": OWNER},
        ).fetchall()
        for schema, table, policy, roles in policies:
            connection.execute(
                sql.SQL("ALTER POLICY {} ON {} TO {}").format(
                    sql.Identifier(policy), sql.Identifier(schema, table), sql.SQL(", ").join(map(_role, roles))
                )
            )
        if known is None:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(former))
            connection.execute(sql.SQL("DROP ROLE {}").format(former))


def _role(name: str) -> sql.Composable:
    return sql.SQL("PUBLIC") if name == "public" else sql.Identifier(name)


@contextmanager
def _environment(url: str, folder: Path) -> Generator[dict[str, str]]:
    """The child's environment: ours, because libpq's variables count for it as they do for us, and the address."""
    parts = parse(url)
    password = parts.pop("password", None)
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix="service-", suffix=".conf") as file:
        file.write(f"[{_SERVICE}]\n" + "".join(f"{name}={value}\n" for name, value in parts.items()))
        file.flush()
        environment = {**os.environ, "LC_ALL": "C", "PGSERVICEFILE": file.name}
        if password is not None:
            environment["PGPASSWORD"] = password
        yield environment
