"""A model of the writers' protocol: its states, and the steps from each. Pure; `checker.py` walks all of them.

One step is one system call, or several that nobody else can see apart. A writer that the scheduler, or a SIGSTOP,
leaves waiting is one whose next step comes late; that is among the interleavings. Each writer acquires the lock once,
so its number serves as nonce and as the inode of its lock file. All publish the same content: the blob may be there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

Step = tuple[str, "World"]

DEAD: Final = -1
# Between which steps a writer has the guard, has its own lock, and holds the sweep lock shared.
_ACQUIRING: Final = frozenset({"acquiring", "judged", "created", "flocked", "bumped"})
_PUBLISHING: Final = frozenset({"fencing", "linking", "linked"})
_OWNING: Final = frozenset({"owner", "based", "sharing", "placed", *_PUBLISHING, "unsharing", "releasing", "unlinking"})
_LOCKING: Final = frozenset({"start", *_ACQUIRING, "releasing", "unlinking"})
_SWEEPING: Final = frozenset({"looking", "removing", "leaving"})
_SHARING: Final = frozenset({"sharing", "placed", *_PUBLISHING, "unsharing"})


@dataclass(frozen=True, slots=True)
class Protocol:
    """Ours, unless a safeguard is taken away."""

    guard: bool = True  # whoever changes the lock has the guard
    kernel_proof: bool = True  # only a lock whose flock can be obtained is retired; else: one that looks old
    fence: bool = True  # lock, epoch and base are checked with the guard in hand until the version is linked
    exclusive_link: bool = True  # a version is linked, never renamed over another
    sweep_flock: bool = True  # the sweeper excludes publishers


class Writer(NamedTuple):
    """Where a writer is, and what it knows. `robbed`: its lock was released by force."""

    at: str = "start"
    epoch: int = 0
    base: int = 0
    alive: bool = True
    robbed: bool = False


class World(NamedTuple):
    """Everything that steps can change. `lock`: the owner of the file at the lock's name, and whether it is flocked."""

    writers: tuple[Writer, ...]
    lock: tuple[int, bool] | None = (DEAD, False)
    epoch: int = 0
    version: int = 0
    results: tuple[tuple[int, int], ...] = ()  # (base, writer), in the order in which they were published
    unfenced: bool = False  # somebody published who did not have the lock
    blob: bool = True
    sweeper: str = "idle"
    crashes: int = 1
    forced: int = 1


def steps(protocol: Protocol, world: World) -> Iterator[Step]:
    """Everything that can happen next, with a name for it."""
    for index, writer in enumerate(world.writers):
        if writer.alive and writer.at != "done":
            yield from _writer_step(protocol, world, index)
            if world.crashes:
                killed = world._replace(crashes=world.crashes - 1)
                yield f"writer {index} is killed at {writer.at}", _move(killed, index, alive=False)
    yield from _sweeper_step(protocol, world)
    yield from _forced_release(protocol, world)


def finished(world: World) -> bool:
    """Whether every writer that lives has come to its end."""
    return all(writer.at == "done" for writer in world.writers if writer.alive)


def breaches(world: World) -> Iterator[str]:
    """What must never be, and is."""
    bases = [base for base, _ in world.results]
    if len(set(bases)) < len(bases):
        yield "two results on one base"
    if world.unfenced:
        yield "a writer without the lock published"
    if len([w for w in world.writers if w.alive and not w.robbed and w.at in _OWNING]) > 1:
        yield "two owners of the lock"
    epochs = [w.epoch for w in world.writers if w.epoch]
    if len(set(epochs)) < len(epochs):
        yield "two acquisitions with one epoch"
    if world.results and not world.blob:
        yield "a version without its file"


def _writer_step(protocol: Protocol, world: World, me: int) -> Iterator[Step]:
    at = world.writers[me].at
    if at == "acquiring":
        return _acquire(protocol, world, me)
    return (_locking_step if at in _LOCKING else _publishing_step)(protocol, world, me)


def _locking_step(protocol: Protocol, world: World, me: int) -> Iterator[Step]:
    match world.writers[me].at:
        case "start" if _guard_is_free(protocol, world):
            yield f"writer {me} takes the guard", _move(world, me, at="acquiring")
        case "judged":
            yield f"writer {me} moves the lock file away", _move(world._replace(lock=None), me, at="acquiring")
        case "created":
            locked = (me, True) if world.lock == (me, False) else world.lock
            yield f"writer {me} flocks its file", _move(world._replace(lock=locked), me, at="flocked")
        case "flocked":
            epoch = world.epoch + 1
            yield f"writer {me} writes epoch {epoch}", _move(world._replace(epoch=epoch), me, at="bumped", epoch=epoch)
        case "bumped":
            yield f"writer {me} writes its token and drops the guard", _move(world, me, at="owner")
        case "releasing" if _guard_is_free(protocol, world):
            yield f"writer {me} takes the guard to release", _move(world, me, at="unlinking")
        case "unlinking":
            freed = world._replace(lock=None) if world.lock == (me, True) else world
            yield f"writer {me} releases", _move(freed, me, at="done")
        case _:
            pass


def _publishing_step(protocol: Protocol, world: World, me: int) -> Iterator[Step]:
    writer = world.writers[me]
    match writer.at:
        case "owner":
            yield f"writer {me} reads base {world.version}", _move(world, me, at="based", base=world.version)
        case "based" if not (protocol.sweep_flock and world.sweeper in _SWEEPING):
            yield f"writer {me} shares the sweep lock", _move(world, me, at="sharing")
        case "sharing":
            yield f"writer {me} places its file", _move(world._replace(blob=True), me, at="placed")
        case "placed" if not protocol.fence or _guard_is_free(protocol, world):
            yield f"writer {me} takes the guard to publish", _move(world, me, at="fencing")
        case "fencing":
            fit = world.lock == (me, True) and world.epoch == writer.epoch and world.version == writer.base
            yield f"writer {me} checks its lock", _move(world, me, at="linking" if fit else "linked")
        case "linking":
            yield f"writer {me} publishes on base {writer.base}", _publish(protocol, world, me)
        case "linked":
            yield f"writer {me} drops the guard", _move(world, me, at="unsharing")
        case "unsharing":
            yield f"writer {me} drops the sweep lock", _move(world, me, at="releasing")
        case _:
            pass


def _acquire(protocol: Protocol, world: World, me: int) -> Iterator[Step]:
    if world.lock is None:
        yield f"writer {me} creates the lock file", _move(world._replace(lock=(me, False)), me, at="created")
        return
    owner, flocked = world.lock
    dead = not flocked or owner == DEAD or not world.writers[owner].alive
    if dead or not protocol.kernel_proof:
        yield f"writer {me} judges the lock of {owner} dead", _move(world, me, at="judged")
    if not dead:
        yield f"writer {me} finds it busy and drops the guard", _move(world, me, at="start")


def _publish(protocol: Protocol, world: World, me: int) -> World:
    base = world.writers[me].base
    if protocol.exclusive_link and world.version > base:
        return _move(world, me, at="linked")
    published = world._replace(
        version=base + 1,
        results=(*world.results, (base, me)),
        unfenced=world.unfenced or world.lock != (me, True),
    )
    return _move(published, me, at="linked")


def _sweeper_step(protocol: Protocol, world: World) -> Iterator[Step]:
    sharing = any(w.alive and w.at in _SHARING for w in world.writers)
    match world.sweeper:
        case "idle" if not (protocol.sweep_flock and sharing):
            yield "the sweeper takes the sweep lock", world._replace(sweeper="looking")
        case "looking":
            named = bool(world.results)
            yield "the sweeper looks what is needed", world._replace(sweeper="leaving" if named else "removing")
        case "removing":
            yield "the sweeper removes the file", world._replace(sweeper="leaving", blob=False)
        case "leaving":
            yield "the sweeper drops the sweep lock", world._replace(sweeper="done")
        case _:
            pass
    if world.crashes and world.sweeper in _SWEEPING:
        yield "the sweeper is killed", world._replace(sweeper="done", crashes=world.crashes - 1)


def _forced_release(protocol: Protocol, world: World) -> Iterator[Step]:
    if world.forced and world.lock and world.lock[0] != DEAD and _guard_is_free(protocol, world):
        robbed = world._replace(lock=None, forced=world.forced - 1)
        yield f"the lock of {world.lock[0]} is released by force", _move(robbed, world.lock[0], robbed=True)


def _guard_is_free(protocol: Protocol, world: World) -> bool:
    if not protocol.guard:
        return True
    guarded = _ACQUIRING | {"unlinking"} | (_PUBLISHING if protocol.fence else frozenset[str]())
    return not any(writer.alive and writer.at in guarded for writer in world.writers)


def _move(world: World, index: int, **changes: str | int) -> World:
    writers = world.writers
    moved = writers[index]._replace(**changes)  # type: ignore[arg-type]
    return world._replace(writers=(*writers[:index], moved, *writers[index + 1 :]))
