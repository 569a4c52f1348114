"""How somebody's class or function is called, found by trying: names and shapes decide, never numbers.
Only what a loss divides its sum by is read off what its forward returns (`reductions`).

`find` asks the process that runs the code what the implementation looks like, proposes conventions one after
another, and keeps the first under which a forward gives the right shape and a backward leaves gradients of
the right shapes. The sizes of the probes are all different, so that a shape shows what an axis is.
"""

from parity.adapters.conventions import NotCallable
from parity.adapters.trial.columns_of_file import dense_beside, take_columns
from parity.adapters.trial.hints import one_for_both_axes, pads_by_word, takes_what_is_kept
from parity.adapters.trial.ordinary import (
    NONE_CHANGED,
    NOT_FINITE,
    PARTLY_CHANGED,
    changes_all,
    fits_the_book,
    sees_new_gradients,
    steps_alike,
)
from parity.adapters.trial.output_derivatives import may_be_derivative
from parity.adapters.trial.own_images import find_for_its_images
from parity.adapters.trial.probabilities import may_take_probabilities
from parity.adapters.trial.returned import as_it_returns
from parity.adapters.trial.search import find

__all__ = [
    "NONE_CHANGED",
    "NOT_FINITE",
    "PARTLY_CHANGED",
    "NotCallable",
    "as_it_returns",
    "changes_all",
    "dense_beside",
    "find",
    "find_for_its_images",
    "fits_the_book",
    "may_be_derivative",
    "may_take_probabilities",
    "one_for_both_axes",
    "pads_by_word",
    "sees_new_gradients",
    "steps_alike",
    "take_columns",
    "takes_what_is_kept",
]
