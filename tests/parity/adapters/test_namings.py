"""Names of one's own: sizes as counts, an optimizer's averages beside the gradients, no arrays at all."""

from pathlib import Path

import pytest

from parity.kinds.names import kind_by_words
from parity.verification.listing import kind_of_target
from parity.verification.verify import verify

FILE = Path(__file__).parent / "wild" / "namings.py"


def looked_at(name, kind="affine"):
    return verify(f"{FILE}:{name}", kind, isolated=False)


def test_sizes_as_counts_and_gradients_returned_by_name():
    verdict = looked_at("FCLayer")
    assert verdict.outcome == "right", str(verdict)
    assert "FCLayer(input_count, output_count)" in verdict.called and 'returned[1]["b"]' in verdict.called


def test_a_gradient_that_keeps_an_axis_is_said_and_not_missing():
    verdict = looked_at("FCLayerOfARow")
    assert verdict.outcome == "right_but" and set(verdict.wrong["tensor"]) == {"db"}
    assert "shape" in verdict.first.record.why and "forgotten" not in verdict.diagnosis.fault


def test_the_averages_of_an_optimizer_are_not_taken_for_gradients():
    verdict = looked_at("FullyConnected")
    assert verdict.outcome == "right", str(verdict)
    assert any("dW" in said for said in verdict.not_checked), verdict.not_checked


def test_beside_them_a_wrong_dx_is_wrong():
    verdict = looked_at("FullyConnectedWrong")
    assert verdict.outcome == "wrong" and set(verdict.wrong["tensor"]) == {"dx"}


def test_what_takes_no_arrays_is_not_built_as_the_book_builds():
    verdict = looked_at("WithoutSetup")
    assert verdict.outcome == "not_checked" and "it takes (units, factor)" in verdict.unchecked


def test_methods_of_unknown_names_are_what_is_said():
    verdict = looked_at("Transform", "relu")
    assert verdict.outcome == "not_checked"
    assert "none of its methods has a name that is known for a forward" in verdict.unchecked


def test_a_name_that_the_list_of_its_file_knows_needs_no_kind():
    assert kind_of_target(f"{FILE}:FullyConnectedWrong") == "affine"
    assert kind_of_target(f"{FILE}:WithoutSetup") == "own_layer"
    assert kind_by_words("batchNormalisation") == "batch_norm"


def test_the_gradient_of_the_loss_is_not_the_step_beside_it():
    verdict = looked_at("LinearTransform")
    assert verdict.outcome == "right", str(verdict)
    assert "gradients in .dldw, .dldb" in verdict.called and "b (1, FN)" in verdict.called
    wrong = looked_at("LinearTransformWrong")
    assert wrong.outcome == "wrong" and set(wrong.wrong["tensor"]) == {"db"}


def test_a_bias_as_a_row_does_not_hide_an_axis_that_the_book_s_names_keep():
    verdict = looked_at("Affine")
    assert verdict.outcome == "right_but" and set(verdict.wrong["tensor"]) == {"db"}
    assert "its db has 1 axis more than b, of length 1" in verdict.buts


@pytest.mark.parametrize(
    ("name", "kind", "outcome"),
    [
        ("MeanPool", "average_pooling", "right"),
        ("MeanPoolWrong", "average_pooling", "wrong"),
        ("SGDOfAState", "sgd", "right"),
        ("SGDOfAStateWrong", "sgd", "wrong"),
        ("SGDByName", "sgd", "right"),
    ],
)
def test_a_shape_first_and_a_state_that_goes_in_and_comes_out(name, kind, outcome):
    verdict = looked_at(name, kind)
    assert verdict.outcome == outcome, str(verdict)
