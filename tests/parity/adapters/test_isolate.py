"""Code that hangs, crashes, prints, eats memory or gives nonsense is a finding, within its limits."""

import os
import time
from pathlib import Path

import pytest
from helpers import is_alive, wait_until

from parity.adapters.isolate import Limits, run_isolated
from parity.verification.verify import verify

RUDE = Path(__file__).parents[1] / "homework" / "rude.py"
ENDINGS = {
    "Hangs": "hung: no answer within 1 s",
    "PrintsAndHangs": "hung: no answer within 1 s",
    "Prints": "printed more than 2048 kB before it answered",
    "Crashes": "crashed: SIGSEGV",
    "Aborts": "crashed: SIGABRT",
    "Interrupts": "raised KeyboardInterrupt",
    "ClosesFiles": "left the process with exit status 0",
    "Exits": "called sys.exit(3)",
    "ExitsAtOnce": "left the process with exit status 7",
}
CHATTY = """
import numpy as np


class Relu:
    def forward(self, x):
        self.mask = x <= 0
        print("x" * 4000)
        return np.where(self.mask, 0, x)

    def backward(self, dout):
        print("y" * 4000)
        return np.where(self.mask, 0, dout)
"""


def test_a_debug_print_in_each_call_is_no_bug(tmp_path):
    (tmp_path / "chatty.py").write_text(CHATTY)
    verdict = verify(f"{tmp_path}/chatty.py:Relu", "relu")
    assert verdict.outcome == "right" and len(verdict.output) == 64_000


RAISED = {
    "AsksForInput": "raised EOFError",
    "Raises": "raised KeyError: ('gamma', (1, 3))",
    "GivesList": "expected an array, got list",
    "GivesRagged": "expected an array, got list",
}


@pytest.mark.parametrize(("name", "ending"), ENDINGS.items(), ids=ENDINGS)
def test_the_ending_is_a_finding(name, ending):
    verdict = verify(f"{RUDE}:{name}", "relu", timeout=1)
    assert not verdict.ok and verdict.ending == ending
    assert ending in str(verdict)
    assert "everything after it stopped" in verdict.not_checked
    assert verdict.reproduction and verdict.culprit is not None and not verdict.diagnosis.fault


@pytest.mark.parametrize(("name", "why"), RAISED.items(), ids=RAISED)
def test_an_answer_that_is_none_is_a_finding(name, why):
    verdict = verify(f"{RUDE}:{name}", "relu")
    assert not verdict.ok and why in verdict.first.record.why and why in str(verdict)


def test_memory_that_is_used_up_is_a_finding():
    verdict = verify(f"{RUDE}:EatsMemory", "relu", memory=256)
    assert not verdict.ok and verdict.ending == "used more than 256 MiB of memory"
    assert "what it may use is set by --memory" in str(verdict)


HINTS = {
    "GivesNothing": "forward returned None",
    "GivesPair": "there is --adapter cs231n",
    "GivesTensor": "not tensors of PyTorch",
    "NoBackward": "forward alone is checked by --adapter forward_only",
    "RaisesWhenBuilt": "raised ValueError: no gamma given (rude.py, line ",
    "RaisesBack": "raised IndexError: no such axis (rude.py, line ",
}


@pytest.mark.parametrize(("name", "says"), HINTS.items(), ids=HINTS)
def test_code_of_another_shape_is_told_what_to_try(name, says):
    assert says in str(verify(f"{RUDE}:{name}", "relu", adapter="book"))


@pytest.mark.parametrize("name", ["ChangesFolder", "SeedsGlobally", "a_function_that_makes_one"])
def test_strange_and_right_is_right(name):
    assert verify(f"{RUDE}:{name}", "relu").ok


def test_what_came_before_the_hang_is_kept_and_the_input_named():
    verdict = verify(f"{RUDE}:Hangs", "relu", timeout=1)
    assert list(verdict.findings["ok"]) == [True, True, False]
    assert verdict.first.record.case == "images" and "on the input 'images'" in str(verdict)


def test_what_it_printed_before_it_hung_is_shown():
    assert "it printed   about to hang" in str(verify(f"{RUDE}:PrintsAndHangs", "relu", timeout=1))


def test_a_backward_that_gives_an_object_keeps_the_forward():
    verdict = verify(f"{RUDE}:GivesItself", "relu")
    assert verdict.first.record.why == "expected an array, got GivesItself"
    assert set(verdict.wrong["tensor"]) == {"dx"}


def test_a_little_printing_is_fine(capfd):
    assert verify(f"{RUDE}:Talks", "relu").ok
    assert capfd.readouterr().out == ""


def test_a_process_that_it_leaves_behind_is_ended():
    def work(send):
        if (child := os.fork()) == 0:
            time.sleep(600)
        send(child)

    (child,) = run_isolated(work).messages
    wait_until(lambda: not is_alive(child))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            'raise RuntimeError("no weights here")',
            "raised RuntimeError: no weights here (layers.py, line 1)",
        ),
        ("class (", "raised SyntaxError"),
    ],
    ids=["raises", "syntax"],
)
def test_code_that_cannot_be_imported_is_a_finding(tmp_path, text, why):
    (tmp_path / "layers.py").write_text(text)
    verdict = verify(f"{tmp_path}/layers.py:X", "relu")
    assert not verdict.ok and verdict.first.record.why.startswith(why)
    assert (verdict.culprit.phase, verdict.culprit.tensor) == ("import", "the module")
    with pytest.raises((RuntimeError, SyntaxError)):
        exec(verdict.reproduction, {})


def test_messages_arrive_in_order_and_the_output_apart():
    def work(send):
        print("hello")
        send(1)
        send({"two": 2})

    outcome = run_isolated(work)
    assert (outcome.messages, outcome.ending, outcome.output) == ([1, {"two": 2}], "", "hello\n")


def test_a_steady_trickle_is_ended_too():
    def work(send):
        while True:
            send(0)
            time.sleep(0.05)

    class OneSecond(Limits):
        total = 1.0

    outcome = run_isolated(work, OneSecond(silence=600))
    assert outcome.ending == "was not done after 1 s" and set(outcome.messages) == {0}


def test_the_child_leaves_nothing_behind():
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(3):
        run_isolated(lambda send: send(1))
    assert set(os.listdir("/proc/self/fd")) == before
