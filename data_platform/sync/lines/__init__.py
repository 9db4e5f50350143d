"""What a sync says, on its way to `data_sync_logs`.

Sync code logs through the standard library, to the logger `data_platform.sync` (`journal` does it, with the fields that
the table asks for). For the length of a run `kept_lines` attaches a handler to it: the handler makes a line of the
record (`line`) and puts it in a queue; a thread takes lines out in batches and stores them, or, when the database does
not answer in time, leaves them in a file that is stored later (`writer`, `patience`, and in the records' room
`pending_lines`). Nothing here waits for the database in the thread that syncs, except when a run ends: up to 5 s.

Validation results do not come this way: they are records, and a sync waits for them.
"""

from data_platform.sync.lines.handler import LOGGER, kept_lines, lines_kept

__all__ = ["LOGGER", "kept_lines", "lines_kept"]
