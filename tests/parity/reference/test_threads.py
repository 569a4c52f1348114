"""PyTorch on one thread for a while, also where it is still being imported."""

import os

import pytest
import torch
from helpers import python

from parity.reference.threads import one_thread

USUAL = "import torch; print(torch.get_num_threads())"
USED = "from parity.kinds.torch_when_used import torch; print(torch.get_num_threads())"
AHEAD = """
import sys
from parity.kinds import torch_ahead
from parity.reference.threads import one_thread
torch_ahead.begin()
torch_ahead.begin()
with one_thread():
    {inside}
    print("block over")
{then}
"""


def ahead(inside, then=""):
    return said(AHEAD.format(inside=inside, then=then))


def said(code):
    """The words that it prints, in a process that may use all cores."""
    done = python("-c", code, env={k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")})
    assert not done.returncode, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module")
def usual():
    """How many threads PyTorch takes by itself."""
    return said(USUAL)[0]


def test_inside_it_computes_on_one_thread_and_then_on_as_many_as_ever():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("then", ["pass", USUAL], ids=["then nothing", "then threads"])
def test_the_import_beside_gives_one_thread_and_gives_the_others_back(usual, then):
    found = ahead(USED, then)
    assert found == ["1", "block", "over", *([usual] if then == USUAL else [])]


def test_all_threads_are_there_where_it_was_not_used_in_the_block(usual):
    assert ahead("pass", USUAL)[2:] == [usual]


def test_a_block_in_the_block_gives_back_what_it_had(usual):
    inner = f"with one_thread(): {USED}"
    found = ahead(f"{USED}\n    {inner}\n    print(torch.get_num_threads())", USUAL)
    assert found == ["1", "1", "1", "block", "over", usual]


def test_a_process_is_forked_after_the_import():
    fork = "from parity.adapters.isolate import run_isolated as run; run(lambda send: None)"
    assert ahead(f"{fork}; print('torch' in sys.modules)") == ["True", "block", "over"]


def test_a_missing_pytorch_is_missed_by_the_one_who_needs_it():
    begun = "from parity.kinds import torch_ahead as t; t.Import().settle(); print('goes on')"
    done = python("-c", f"import sys; sys.modules['torch'] = None; {begun}\nimport torch")
    assert done.returncode == 1 and done.stdout == "goes on\n" and done.stderr.count("Traceback") == 1
