"""`python -m parity kinds` lists everything that `verify` accepts."""

import pytest

from parity.adapters.conventions import ADAPTERS
from parity.kinds.names import NAMES
from parity.verification.targets import TARGETS, adapters, call_of


def test_every_kind_and_adapter_has_its_line(parity):
    status, out, _ = parity("kinds")
    first = [line.split(" ")[0] for line in out.splitlines()]
    assert status == 0 and set(first) >= {*TARGETS, *NAMES, *ADAPTERS}
    assert "cls(W, b, stride=1, pad=0); forward(x) -> out, backward(dout) -> dx; then .dW, .db" in out
    assert all(adapters().values())


@pytest.mark.parametrize("kind", NAMES)
def test_every_line_shows_how_it_is_called(kind):
    assert any(call in call_of(kind) for call in ("forward(x", "update(params", "->"))


def test_one_kind_lists_its_features_and_differences(parity):
    _, out, _ = parity("kinds", "max-pooling")
    assert "may lack             ceil_mode, pad, pairs" in out
    assert "max-pool-zero-padding: zero padding" in out and "convolution" not in out


def test_a_kind_that_there_is_not_is_misuse(parity):
    status, _, err = parity("kinds", "pooling")
    assert status == 2 and "no kind is named 'pooling'; there are im2col" in err


def test_the_help_of_verify_names_every_kind_and_adapter(parity, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    _, out, _ = parity("verify", "--help")
    assert all(name in out for name in (*NAMES, *ADAPTERS, "network", "Exit status", "groups"))


def test_a_kind_lists_the_names_that_leave_its_numbers_right(parity):
    _, out, _ = parity("kinds", "relu")
    assert "writes-into-dout: a write into dout" in out and "overflow" not in out
    assert "overflow-at-large-inputs" in parity("kinds", "softmax").out
