"""`python -m benchmarks.query_datasette FOLDER`: Datasette's answers to statements, in the environment of the peers.

FOLDER holds a SQLite file for each dataset. As Datasette's documentation has it, each is a database of its own, opened
as immutable, and who asks may run SQL on `crsp` and see nothing of the others. Reads a JSON list of statements, prints
a JSON list of [status, body]. Imports nothing of the platform.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from pathlib import Path

import httpx
from datasette.app import Datasette

_ADDRESS_SPACE = 4 << 30
_TOO_LONG = 414
OPEN = "crsp"


async def _answers(files: list[Path], statements: list[str]) -> list[tuple[int, str]]:
    closed = {file.stem: {"allow": False, "allow_sql": False} for file in files if file.stem != OPEN}
    served = Datasette(files=[], immutables=[str(file) for file in files], metadata={"databases": closed})
    await served.invoke_startup()
    found: list[tuple[int, str]] = []
    for sql in statements:
        try:
            answer = await served.client.get(f"/{OPEN}.json", params={"sql": sql, "_shape": "array"})
        except httpx.InvalidURL:
            found.append((_TOO_LONG, json.dumps({"error": "the address is too long"})))
        else:
            found.append((answer.status_code, answer.text))
    return found


def main() -> None:
    """Answer the one request."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    files = sorted(Path(sys.argv[1]).glob("*.db"))
    # Datasette prints to standard output; the answer keeps a descriptor of its own.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        json.dump(asyncio.run(_answers(files, json.loads(sys.stdin.read()))), answers)


if __name__ == "__main__":
    main()
