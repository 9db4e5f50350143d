"""Creating the data folder: whole or not at all, and a record of which PostgreSQL made it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from typing import Any, Final

from data_platform.records.embedded.config import INCLUDE_LINE, server_settings
from data_platform.records.embedded.credentials import SUPERUSER, Credentials
from data_platform.records.embedded.layout import Layout
from data_platform.records.embedded.programs import Programs
from data_platform.records.private_files import sync_folder, write_private

_DRAFT: Final = "draft-"
_PROVIDER_SINCE: Final = 17
"""First major version with a built-in locale provider, independent of the machine's C library."""


def ensure_cluster(layout: Layout, programs: Programs, credentials: Credentials) -> None:
    """Create the data folder unless it exists, and write the settings of the next start.

    The cluster is made in a draft folder and renamed when it is complete; drafts that a kill left behind are
    removed. Call it under the guard.

    Raises:
        DatabaseUnavailableError: when `initdb` fails.
    """
    for leftover in layout.root.glob(f"{_DRAFT}*"):
        # An initdb whose command was killed may still be writing there; what is left now goes the next time.
        shutil.rmtree(leftover, ignore_errors=True)
    if not layout.data.exists():
        _create(layout, programs, credentials)
    _record(layout, programs)
    _write_settings(layout, programs)


def _create(layout: Layout, programs: Programs, credentials: Credentials) -> None:
    draft = layout.root / f"{_DRAFT}{secrets.token_hex(4)}"
    draft.mkdir(mode=0o700)
    password_file = draft / "password"
    descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(credentials[SUPERUSER].password + "\n")
        programs.give_away(file.fileno())
    account = programs.run_as.account
    if account is not None:
        os.chown(draft, account.uid, account.gid)
    data = draft / "data"
    try:
        programs.run(
            "initdb",
            [
                *("-D", str(data), "-U", SUPERUSER, f"--pwfile={password_file}", "--auth=scram-sha-256"),
                *("--data-checksums", "--encoding=UTF8", "--locale=C", *_locale(programs)),
            ],
            doing="creating its data folder",
        )
        with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(INCLUDE_LINE)
            configuration.flush()
            os.fsync(configuration.fileno())
        data.rename(layout.data)
        sync_folder(layout.root)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _locale(programs: Programs) -> tuple[str, ...]:
    if programs.installation.major >= _PROVIDER_SINCE:
        return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return ()


def _record(layout: Layout, programs: Programs) -> None:
    version = programs.installation.version
    known: dict[str, Any] = {}
    if layout.cluster.exists():
        try:
            known = json.loads(layout.cluster.read_text(encoding="utf-8"))
        except ValueError:
            known = {}
    record = {"created_with": known.get("created_with", version), "last_run_with": version}
    if record != known:
        write_private(layout.cluster, json.dumps(record, indent=1) + "\n")


def _write_settings(layout: Layout, programs: Programs) -> None:
    text = server_settings(layout.run)
    if not layout.settings.exists() or layout.settings.read_text(encoding="utf-8") != text:
        write_private(layout.settings, text)
    descriptor = os.open(layout.settings, os.O_RDONLY)
    try:
        programs.give_away(descriptor)
    finally:
        os.close(descriptor)
