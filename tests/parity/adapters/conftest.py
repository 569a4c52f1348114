"""How code is called shows on small inputs: of those of real size the cheapest are tried here, all of them in
`tests/parity/verification`."""

from functools import lru_cache

import pytest

from parity.kinds.real_sizes import real_sizes
from parity.verification import observe

FEW = 4


@lru_cache
def cheapest(kind):
    return real_sizes(kind)[:FEW]


@pytest.fixture(autouse=True)
def few_real_sizes(monkeypatch):
    monkeypatch.setattr(observe, "real_sizes", lambda kind: [probe.copy() for probe in cheapest(kind)])
