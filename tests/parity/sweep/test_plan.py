"""A plan expands into cells with stable ids; what is not a plan is refused in one sentence."""

from pathlib import Path

import pytest

from parity.faults import faults_of
from parity.kinds.probes import probes
from parity.sweep.cells import BATCH, WEIGHT, batches, expand
from parity.sweep.plan import PlanError, load_plan, make_plan

HOMEWORK = Path(__file__).parents[1] / "homework"


def cells(**part):
    return list(expand(make_plan({"part": [part]}, HOMEWORK.parent)))


def test_layers_are_multiplied():
    found = cells(layers=["max_pooling", "relu"], seeds=3, geometry=2, dtypes=["float64"], contracts=False)
    ids = [probe.id for kind in ("max_pooling", "relu") for probe in probes(kind)]
    assert [c.case for c in found if c.what == "probe"] == 3 * ids
    assert [(c.name, c.case) for c in found if c.what == "geometry"] == 3 * [
        ("max_pooling", "0"),
        ("max_pooling", "1"),
    ]
    assert {c.seed for c in found} == {0, 1, 2} and len(found) == 3 * (len(ids) + 2)


def test_faults_are_those_of_the_layers():
    found = [c for c in cells(layers=["relu"], faults="all") if c.what == "fault"]
    assert [c.fault for c in found] == [fault.name for fault in faults_of("relu")]


def test_tf32_is_for_float32_alone():
    found = cells(networks=["lenet"], devices=["cuda", "cuda tf32"])
    assert [(c.dtype, c.device) for c in found] == [
        ("float64", "cuda"),
        ("float32", "cuda"),
        ("float32", "cuda tf32"),
    ]


def test_a_folder_gives_every_name_that_says_what_it_is(tmp_path):
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "layers.py").write_text("class Relu: pass\nclass Helper: pass\ndef im2col(): pass\n")
    (tmp_path / "bob.py").write_text("class (")
    plan = make_plan({"part": [{"folder": "."}]}, tmp_path)
    assert [(c.target, c.name) for c in expand(plan)] == [
        ("ann/layers.py:Relu", "relu"),
        ("ann/layers.py:im2col", "im2col"),
        ("bob.py:", ""),
    ]


def test_ids_depend_on_what_is_checked_and_nothing_else(tmp_path):
    relu = cells(name="a", layers=["relu"], seeds=2)
    more = cells(name="a", layers=["softmax", "relu"], seeds=[1])
    assert len({c.id for c in relu}) == len(relu)
    assert {c.id for c in relu if c.seed == 1} < {c.id for c in more}
    assert relu[0].id == "7bd7e7c63a832dfda181"
    (tmp_path / "a.py").write_text("class Relu: pass\n")
    plan = make_plan({"part": [{"folder": "."}]}, tmp_path)
    before = [c.id for c in expand(plan)]
    (tmp_path / "a.py").write_text("class Relu: x = 1\n")
    assert before != [c.id for c in expand(plan)]


def test_batches_keep_the_order_and_the_device_apart():
    found = cells(layers=["relu", "affine"], devices=["cpu", "cuda"], seeds=12)
    made = list(batches(found))
    assert [c for batch in made for c in batch.cells] == found
    for batch in made:
        assert {c.device for c in batch.cells} == {batch.device}
        assert sum(WEIGHT[c.what] for c in batch.cells) <= BATCH
    assert len({batch.id for batch in made}) == len(made) > 4


REFUSED = {
    "no part": ("timeout = 5", "plan.toml has no part"),
    "not TOML": ("[[part", "is not TOML"),
    "unknown key": ("[[part]]\nlayers = 'relu'\ndtype = 'float64'", "key 'dtype'; did you mean dtypes?"),
    "key of another subject": ("[[part]]\nlayers = 'all'\nsteps = 2", "unknown key 'steps'"),
    "two subjects": ("[[part]]\nlayers = 'all'\nnetworks = 'all'", "expected one of layers, networks"),
    "unknown layer": ("[[part]]\nlayers = ['rely']", "is named 'rely'; did you mean relu?"),
    "unknown network": ("[[part]]\nnetworks = ['lenet', 'letnet']", "named 'letnet'; did you mean lenet?"),
    "unknown device": ("[[part]]\nlayers = 'all'\ndevices = ['gpu']", "the devices is named 'gpu'"),
    "fault of another layer": ("[[part]]\nlayers = ['relu']\nfaults = ['conv-bias-omitted']", "faults"),
    "seeds": ("[[part]]\nlayers = 'all'\nseeds = 0", "a whole number of at least 1, got 0"),
    "seed twice": ("[[part]]\nlayers = 'all'\nseeds = [1, 1]", "expected seeds to be different numbers"),
    "no count": ("[[part]]\nlayers = 'all'\nseeds = {first = 3}", "seeds.count to be a whole number"),
    "no folder": ("[[part]]\nfolder = 'nowhere'", "there is no folder 'nowhere' in "),
    "names twice": ("[[part]]\nname = 'a'\nlayers = 'relu'\n[[part]]\nname = 'a'\nfolder = '.'", "two parts"),
    "a path as a name": ("[[part]]\nname = '../a'\nlayers = 'all'", "expected a name of letters, digits"),
    "timeout": ("timeout = 0\n[[part]]\nlayers = 'all'", "to be a number of seconds above 0, got 0"),
    "tf32 in float64": ("[[part]]\nlayers = 'all'\ndevices = 'cuda tf32'\ndtypes = 'float64'", "add float32"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_a_plan_is_refused(tmp_path, text, why):
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(PlanError) as error:
        load_plan(tmp_path / "plan.toml")
    assert why in str(error.value) and "\n" not in str(error.value)
