"""What the fault tests share: `dice`, the one source of chance, whose seed is logged for repeating a run."""

from __future__ import annotations

import logging
import random

import pytest


@pytest.fixture
def dice(pytestconfig: pytest.Config, torture: bool) -> random.Random:
    chosen = pytestconfig.getoption("fault_seed")
    seed = chosen if chosen is not None else random.SystemRandom().getrandbits(32) if torture else 20240115
    logging.getLogger(__name__).warning("repeat this with --fault-seed %d", seed)
    return random.Random(seed)  # noqa: S311 - chooses where to strike, not a secret
