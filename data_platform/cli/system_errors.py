"""What the operating system refused, in words for people."""

from __future__ import annotations

import errno
from typing import Final

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def explain(error: OSError) -> tuple[str, str]:
    """The system's own words with the place, and what to do about it."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _NO_SPACE:
        mend = "Make room on the disk of DATA_PLATFORM_HOME; `data-platform status` says how full it is."
    else:
        mend = "Check DATA_PLATFORM_HOME and the rights on it."
    return f"{error.strerror or error}{where}.", mend
