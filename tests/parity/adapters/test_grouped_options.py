"""Options that come in one dict, functions without a cache, dense layers whose constructor asks for more."""

from pathlib import Path

import pytest

from parity.adapters.isolate import Limits
from parity.adapters.options import Options, all_read
from parity.kinds.probes import probes
from parity.verification.observe import Request, observe_target
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "grouped.py"
# name, kind, outcome, a part of the verdict
CASES = [
    ("convolve_forward", "convolution", "wrong", "backward, db"),
    ("MaxPoolWrong", "max_pooling", "wrong", "backward, dx"),
    ("Dense", "affine", "right", "Dense(label, channels_in, channels_out, weight_scale, layer_id)"),
    (
        "DenseOfUnits",
        "affine",
        "right",
        "DenseOfUnits(units, activation); weights in .W (in, out), .b (FN,) after",
    ),
    ("DenseWrong", "affine", "wrong", "backward, dW"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[c[0] for c in CASES])
def test_the_names_and_the_verdict(name, kind, outcome, part):
    verdict = verify(f"{WILD}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


@pytest.mark.parametrize(
    ("name", "kind", "called", "lacking"),
    [
        ("conv_forward", "convolution", "conv_backward(dout, x, w, b, params) -> returned[0]", set()),
        ("Conv", "convolution", "Conv(in_channels, out_channels, kernel_size, params)", set()),
        ("MaxPool", "max_pooling", "MaxPool(pool_param); forward(x), backward(dout)", {"pad"}),
    ],
)
def test_every_number_is_right_and_padding_that_is_never_read_is_not_checked(name, kind, called, lacking):
    request = Request(f"{WILD}:{name}", kind, "auto", probes(kind), contracts=False, dtypes=("float64",))
    seen = observe_target(request, Limits(), isolated=False)
    tried = {probe.id for probe in seen.tried_of(request.cases)}
    rows = [row for row in seen.observation.records if row.case in tried]
    assert called in str(seen.convention) and {"stride", "pad"} & seen.lacking == lacking
    assert len(rows) >= 20 and all(row.ok for row in rows)


def test_what_is_read_is_noted_and_what_is_at_its_default_need_not_be():
    options = Options({"stride": 2, "padding": 1})
    assert options["stride"] == 2
    with pytest.raises(NotImplementedError, match="pad is never read"):
        all_read([options], {"stride": 2, "pad": 1})
    all_read([options], {"stride": 2, "pad": 0})
