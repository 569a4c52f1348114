"""The inputs that are tried: a kind's probes for one seed, each with its cotangent.

A wrong layer is often right on easy inputs: square images, stride 1, ones as the cotangent. So the
geometries are asymmetric (H != W, sh != sw, ph != pw, overlap, gaps, sizes that do not divide, N = 1,
C = 1, 1x1), the cotangents random, and the values go where the formulas bend: integer ties, negative
inputs under padding, zeros at kinks, logits of +-1e3, rows far apart, tiny and huge scales. Each family's
file has its own; the smallest come first.

Every number is drawn in float32 and kept as float64, so that both precisions see the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np

from parity.kinds import Kind, kind_of
from parity.kinds.numpy_reference import judge
from parity.kinds.probe import Probe, normal


def probes(kind: str, seed: int = 0, only: Callable[[int], bool] = lambda i: True) -> list[Probe]:
    """The probes of a kind for one seed, those whose place in the list `only` accepts.

    Raises ValueError for a kind that does not exist.
    """
    found, rng = kind_of(kind), np.random.default_rng([seed, *kind.encode()])
    return [with_cotangent(probe, seed) for i, probe in enumerate(found.probes(rng)) if only(i)]


def shared_probes(kind: str, seed: int = 0) -> list[Probe]:
    """Those probes, of which this process computes each reference once, however often they are asked for.

    Raises ValueError for a kind that does not exist.
    """
    return [probe.copy() for probe in _made(kind_of(kind), seed, judge())]


@lru_cache(maxsize=128)
def _made(kind: Kind, seed: int, judge: str) -> list[Probe]:
    return probes(kind.name, seed)


def with_cotangent(probe: Probe, seed: int) -> Probe:
    """The probe rounded to float32, with a random dout of the output's shape where its kind takes one."""
    probe = probe.cast(np.float32).cast(np.float64)
    kind = kind_of(probe.kind)
    if kind.out != "out":
        return probe
    rng = np.random.default_rng([seed, *probe.id.encode()])
    shape = kind.out_shape(probe)
    dout = normal(rng, *shape).astype(np.float32).astype(np.float64)
    return replace(probe, inputs={**probe.inputs, "dout": dout})
