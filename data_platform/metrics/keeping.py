"""Which home this process counts in, and counting there: the one place that must never fail."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Final

from data_platform.metrics.files import ProcessFile
from data_platform.metrics.folding import FOLDER, fold_many

_log = logging.getLogger(__name__)


class Keeper:
    """Where this process counts; nowhere until it is told a home. Shared by threads; a forked child begins anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._file: ProcessFile | None = None
        self._complained = False

    def keep_in(self, home: Path) -> None:
        """Count in this home from now on. Nothing is opened or made before something is counted."""
        with self._lock:
            folder = home / FOLDER
            if folder != self._folder:
                self._let_go()
                self._folder = folder

    def add(self, key: str, amount: float = 1.0) -> None:
        """Add to a number; when that can't be kept, it is not."""
        self._do(((key, amount),))

    def add_all(self, amounts: tuple[tuple[str, float], ...]) -> None:
        """Add to several numbers, as `add` does."""
        self._do(amounts)

    def put(self, key: str, value: float) -> None:
        """Set a number; when that can't be kept, it is not."""
        self._do(((key, value),), setting=True)

    def begin_anew(self) -> None:
        """In a forked child: the file and its lock are the parent's."""
        self._lock = threading.Lock()
        self._let_go()

    def _do(self, amounts: tuple[tuple[str, float], ...], *, setting: bool = False) -> None:
        try:
            with self._lock:
                file = self._opened()
                if file is None:
                    return
                for key, amount in amounts:
                    if setting:
                        file.put(key, amount)
                    else:
                        file.add(key, amount)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may not break what is counted
            if not self._complained:
                self._complained = True
                _log.warning("Metrics can't be kept for now: %s", type(error).__name__)

    def _opened(self) -> ProcessFile | None:
        if self._folder is None:
            return None
        if self._file is not None and not self._file.is_there:
            self._let_go()
        if self._file is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._file = ProcessFile(self._folder)
            # There may be nobody who scrapes.
            fold_many(self._folder)
        return self._file

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


KEEPER: Final = Keeper()
os.register_at_fork(after_in_child=KEEPER.begin_anew)
