"""How code is called shows on small inputs: of those of real size the cheapest are tried here, all of them in
`tests/parity/verification`."""

import pytest


@pytest.fixture(autouse=True)
def _few(few_real_sizes):
    """For every test of this folder."""
