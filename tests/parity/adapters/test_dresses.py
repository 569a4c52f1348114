"""Right layers are right and faults are killed in the clothes of other people's code."""

import dresses
import pytest
from dresses import DRESSES, killed, shows_one_at_a_time

from parity.faults import FAULTS
from parity.kinds import kind_of
from parity.verification.verify import verify

WORN = [(name, kind) for name, (_, kinds) in DRESSES.items() for kind in kinds]
SAMPLE = 3  # faults of a kind that every run tries; all of them where slow tests run


@pytest.mark.parametrize(("name", "kind"), WORN)
def test_a_right_layer_is_right_in_every_dress(name, kind):
    dress, _ = DRESSES[name]
    verdict = verify(dress(kind_of(kind).ours, kind), kind, isolated=False)
    assert verdict.outcome == "right", str(verdict)
    assert not verdict.not_checked and len(verdict.findings) >= 20


def _faults(kind):
    return [fault for fault in FAULTS.values() if fault.kind == kind and not fault.equivalent]


def _survivors(name, kind, faults):
    dress, _ = DRESSES[name]
    left = [fault for fault in faults if not killed(dress(fault.make, kind), kind)]
    if name == "single_image":  # what shows only in a batch is no fault of a layer that never sees one
        left = [fault for fault in left if shows_one_at_a_time(fault)]
        left = [fault for fault in left if not fault.name.endswith("-keeps-x")]  # a remark, if anything
    if name == "self_updating":  # dW has gone into the weights before another object writes over it
        left = [fault for fault in left if not fault.name.endswith("-shares-dw")]
    return [fault.name for fault in left]


@pytest.mark.parametrize(("name", "kind"), WORN)
def test_faults_are_killed_in_every_dress(name, kind):
    faults = _faults(kind)
    step = max(1, len(faults) // SAMPLE)
    assert not _survivors(name, kind, faults[::step][:SAMPLE])


def test_a_write_into_x_is_seen_where_masks_are_set_from_outside():
    """The layer gets the caller's own array, and no copy of it."""
    assert not _survivors("torch_like", "dropout", [FAULTS["dropout-writes-into-x"]])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), WORN)
def test_every_fault_is_killed_in_one_of_the_dresses(name, kind):
    """The dresses of a kind share its faults; `make exhaustive` tries every fault in every dress."""
    worn = [other for other, its_kind in WORN if its_kind == kind]
    faults = _faults(kind)[worn.index(name) :: len(worn)]
    assert not _survivors(name, kind, faults)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "kind"), WORN)
def test_every_fault_is_killed_in_every_dress(name, kind):
    assert not _survivors(name, kind, _faults(kind))


def test_the_dressed_layer_is_hidden():
    worn = DRESSES["self_updating"][0](kind_of("affine").ours, "affine")(3, 2)
    assert isinstance(worn, dresses.Dressed) and not any(hasattr(v, "forward") for v in vars(worn).values())
