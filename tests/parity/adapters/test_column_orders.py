"""im2col's columns may lie in other orders; what is in a window may not."""

from pathlib import Path

import numpy as np
import pytest

from parity.adapters.columns import COLUMNS, given, taken
from parity.verification.listing import listed
from parity.verification.verify import verify

FILE = Path(__file__).parent / "wild" / "columns_of_windows.py"
# name, kind, outcome, how the columns lie
CASES = [
    ("im2col_indices", "im2col", "right", "columns (C*FH*FW, OH*OW*N)"),
    ("col2im_indices", "col2im", "right", "columns (C*FH*FW, OH*OW*N)"),
    ("col2im_assigned", "col2im", "wrong", "[col2im-assigns]"),
    ("im2col_unfolded", "im2col", "right", "columns (N, C*FH*FW, OH*OW)"),
    ("im2col_turned", "im2col", "wrong", "[im2col-window-transposed]"),
    ("im2col_by_image", "im2col", "right", "columns (C*FH*FW, N*OH*OW)"),
    ("col2im_by_image", "col2im", "wrong", "columns (C*FH*FW, N*OH*OW), as im2col_by_image lays them out"),
    ("im2col_of_one", "im2col", "right", "columns (OH*OW, C*FH*FW), one image at a time"),
    ("im2col_for_filters", "im2col", "right", "columns (N*OH*OW, FH*FW*C)"),
    ("im2col_in_axes", "im2col", "right", "columns (N, C, FH, FW, OH, OW)"),
    ("im2col_in_turned_axes", "im2col", "wrong", "columns (N, C, FH, FW, OH, OW)"),
    ("im2col_of_rows", "im2col", "right", "columns (N, OH, OW, FH*FW*C)"),
    ("avgpool", "average_pooling", "right", "as avgpool(x, kernel, stride, padding)"),
    ("maxpool", "max_pooling", "wrong", "[max-pool-zero-padding]"),
    ("im2col_of_channels", "im2col", "right", "columns (N*C*OH*OW, FH*FW)"),
    ("im2col_of_channels_inside", "im2col", "right", "columns (N*OH*OW*C, FH*FW)"),
    ("im2col_of_turned_channels", "im2col", "wrong", "[im2col-window-transposed]"),
    ("im2col_of_turned_positions", "im2col", "wrong", "columns (N*C*OH*OW, FH*FW)"),
    ("im2col_in_holes", "im2col", "wrong", "columns (N, OH*OW, FH*FW*C)"),
]


@pytest.mark.parametrize(("name", "kind", "outcome", "part"), CASES, ids=[case[0] for case in CASES])
def test_the_order_is_found_and_the_windows_are_judged(name, kind, outcome, part):
    verdict = verify(f"{FILE}:{name}", kind, isolated=False)
    assert verdict.outcome == outcome and part in str(verdict), str(verdict)


def test_a_process_of_its_own_finds_the_im2col_beside_it():
    verdict = verify(f"{FILE}:col2im_by_image", "col2im")
    assert verdict.outcome == "wrong" and "as im2col_by_image lays them out" in str(verdict), str(verdict)


@pytest.mark.parametrize("layout", COLUMNS)
def test_columns_come_back_as_they_went(layout):
    col = np.arange(2 * 5 * 6.0).reshape(10, 6)
    assert np.array_equal(taken(given(col, 2, layout), 2, 6, layout), col)


def test_they_are_listed_by_their_usual_names():
    names = {one.name: one.kind for one in listed(FILE)}
    assert names["im2col_indices"] == "im2col" and names["col2im_indices"] == "col2im"
