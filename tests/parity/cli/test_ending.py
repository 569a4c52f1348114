"""A command ends at once, and with all that Python promises a program at its end."""

import pytest
from helpers import python

LATE = """
import atexit, os, sys, threading
from parity.cli.ending import end
class Late:
    def __del__(self, write=os.write):
        write(1, b"taken apart")
late = Late()
atexit.register(print, "said at the end")
sys.stdout.write("printed ")
{before}
end(SystemExit({status}))
"""


def ended(status, before=""):
    return python("-c", LATE.format(status=status, before=before))


@pytest.mark.parametrize("status", [0, 1, 2, None])
def test_the_status_and_all_output_stay_and_nothing_is_taken_apart(status):
    done = ended(status)
    assert (done.returncode, done.stdout, done.stderr) == (status or 0, "printed said at the end\n", "")


LOOKED_ON = {
    "a profiler": "sys.setprofile(lambda *_: None)",
    "a tracer": "sys.settrace(lambda *_: None)",
    "a thread that runs on": "threading.Thread(target=lambda: threading.Event().wait(0.2)).start()",
}


@pytest.mark.parametrize("before", LOOKED_ON.values(), ids=LOOKED_ON)
def test_it_ends_as_usual_where_somebody_looks_on(before):
    done = ended(1, before)
    assert done.returncode == 1 and done.stdout == "printed said at the end\ntaken apart"


def test_a_sentence_for_a_status_is_printed_as_usual():
    done = ended("'what it says'")
    assert done.returncode == 1 and done.stderr == "what it says\n" and "taken apart" in done.stdout
