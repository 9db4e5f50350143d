"""As whom the server's programs run. PostgreSQL refuses to run as root, so root needs a way around.

Preferred is a user namespace: inside it root is an ordinary user, no account is made and no mode is changed. Only
where the system forbids user namespaces do the programs run under an unprivileged account.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from data_platform.errors import ConfigurationError

_NAMESPACE: Final = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_UNPRIVILEGED: Final = "nobody"
_SEARCH: Final = 0o001
_OTHER_SERVER: Final = "or set DATA_PLATFORM_POSTGRES_URL to a server of your own."


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine, by numbers."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class RunAs:
    """How to run a program: what to put before it, the account to change to (None: stay), and whose the files are."""

    prefix: tuple[str, ...]
    account: Account | None
    owner: Account


def choose_run_as(me: Account, *, namespaces: bool, unprivileged: Account | None) -> RunAs:
    """Decide how to run the server's programs.

    Raises:
        ConfigurationError: for root on a system without user namespaces and without an unprivileged account.
    """
    if me.uid != 0:
        return RunAs((), None, me)
    if namespaces:
        return RunAs(_NAMESPACE, None, me)
    if unprivileged is not None:
        return RunAs((), unprivileged, unprivileged)
    raise ConfigurationError(
        "PostgreSQL does not run as root, and this system has neither user namespaces nor the account 'nobody'.",
        hint=f"Run as another user, {_OTHER_SERVER}",
    )


def current_run_as() -> RunAs:
    """Look at this process and this machine, and decide."""
    me = Account(os.geteuid(), os.getegid())
    if me.uid != 0:
        return choose_run_as(me, namespaces=False, unprivileged=None)
    return choose_run_as(me, namespaces=_namespaces_work(), unprivileged=_unprivileged())


def hand_over(run_as: RunAs, root: Path, programs: Path) -> None:
    """Make the folder `root` belong to whom the server runs as, whatever it was before.

    For an unprivileged account the home above it (ours, 0700) is opened to that account's group for passing
    through only; no other folder is touched.

    Raises:
        ConfigurationError: when the folder is another user's, or the account can't get to it or to the programs.
    """
    owner = run_as.owner
    # Root may change hands between itself and its unprivileged account; anyone else's folder stays theirs.
    strangers = os.geteuid() != 0 or root.parent.stat().st_uid != 0
    if root.stat().st_uid != owner.uid and strangers:
        raise ConfigurationError(
            f"{root} belongs to another user (uid {root.stat().st_uid}).",
            hint=f"Run as that user, choose another DATA_PLATFORM_HOME, {_OTHER_SERVER}",
        )
    if run_as.account is not None:
        home = root.parent
        if home.stat().st_mode & 0o077 == 0 and home.stat().st_uid == os.geteuid():
            os.chown(home, -1, owner.gid)
            home.chmod(0o710)
        for folder in (*reversed(root.parents), *reversed(programs.parents), programs):
            if not _may_pass(folder, owner):
                raise ConfigurationError(
                    f"PostgreSQL does not run as root here, and the account '{_UNPRIVILEGED}' can't get past {folder}.",
                    hint=f"Run as another user, {_OTHER_SERVER}",
                )
    if os.geteuid() == 0 and _someone_elses(root, owner):
        for folder, _, files in os.walk(root):
            for path in (Path(folder), *(Path(folder, name) for name in files)):
                os.chown(path, owner.uid, owner.gid, follow_symlinks=False)


def _someone_elses(root: Path, owner: Account) -> bool:
    return any(path.lstat().st_uid != owner.uid for path in (root, *root.iterdir()))


def _may_pass(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & (_SEARCH << 6))
    if status.st_gid == account.gid:
        return bool(status.st_mode & (_SEARCH << 3))
    return bool(status.st_mode & _SEARCH)


@lru_cache(maxsize=1)
def _namespaces_work() -> bool:
    if shutil.which(_NAMESPACE[0]) is None:
        return False
    try:
        probe = subprocess.run(  # noqa: S603 - fixed words, no shell
            [*_NAMESPACE, "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return probe.returncode == 0


def _unprivileged() -> Account | None:
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)
