"""The fault harness: what the warehouse keeps when processes die, disks fill, power goes and writers race.

An operation runs in a process of its own, is struck at one chosen system call (`strace`), by a cut of the power under
its file system (a loop device), or by signals at random moments; then somebody who knows nothing of it looks at what is
left. What counts is only what was acknowledged, what can be read, and whether the next writer can go on. The harness is
itself on trial: naive locks and a store that does not fsync must be caught.

Everything here is real: processes, signals, file systems, locks. Only `protocol.py` is a model, of the protocol's
steps. What is short and seeded in the ordinary run is long with `--torture`.
"""
