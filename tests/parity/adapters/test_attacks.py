"""Code that wants to pass without being right, or to do harm: a finding, and the checker is as it was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import is_alive, wait_until

from parity.verification.verify import verify

HEAD = "import gc, os, signal, sys, threading, time\nimport numpy as np\n"
RIGHT = """
class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0)
    def backward(self, dout):
        return np.where(self.mask, dout, 0)
"""
WRONG = RIGHT.replace("x, 0)", "x, 0.5 * x)")


def attack(tmp_path, text, before="", of=WRONG, **options):
    (tmp_path / "layers.py").write_text(HEAD + of + before + text)
    return verify(f"{tmp_path}/layers.py:Mine", "relu", **{"timeout": 2, **options})


def body(line):
    """A wrong Relu whose forward does this first."""
    return (
        f"class Mine(Relu):\n    def forward(self, x):\n        {line}\n        return super().forward(x)\n"
    )


WRITABLE = """
def writable(n):
    import fcntl
    try: return fcntl.fcntl(n, fcntl.F_GETFL) & 3 in (1, 2)
    except OSError: return False
"""
NOTHING = "sent something that is not an answer"


def to_the_pipe(expression):
    return (
        f"data = {expression}\n"
        + WRITABLE
        + body("for n in filter(writable, range(3, 64)): os.write(n, data)")
    )


FORGED = {
    "done alone": (to_the_pipe("b'done'"), NOTHING),
    "a long silence after a header": (
        to_the_pipe("__import__('struct').pack('<IQ', 100, 0) + b'{'"),
        NOTHING,
    ),
    "a pickle": (to_the_pipe("__import__('pickle').dumps(dict(ok=True)) + bytes(100)"), NOTHING),
    "a message of its own": (
        to_the_pipe(
            "(lambda head: __import__('struct').pack('<IQ', len(head), 0) + head)"
            '(b\'{"value": {"d": {"number": 1, "value": null}}, "arrays": []}\')'
        ),
        NOTHING,
    ),
    "JSON that is too deep": (
        to_the_pipe("__import__('struct').pack('<IQ', 200000, 0) + b'[' * 200000"),
        NOTHING,
    ),
    "the size of a planet": (to_the_pipe("__import__('struct').pack('<IQ', 10, 1 << 62)"), NOTHING),
    "descriptors closed, and on": (
        body("os.closerange(0, 64)\n        while True: pass"),
        "closed its connection to the checker",
    ),
    "stopped": (body("os.kill(os.getpid(), signal.SIGSTOP)"), "hung: no answer within 2 s"),
    "gone in silence": (body("os._exit(0)"), "left the process with exit status 0"),
    "gone after import": (
        body("pass") + "threading.Timer(0.05, os._exit, [0]).start()\ntime.sleep(0.2)\n",
        "left the process with exit status 0",
    ),
    "its watch killed": (
        body("os.kill(os.getppid(), signal.SIGKILL)\n        time.sleep(9)"),
        "closed its connection",
    ),
}


@pytest.mark.parametrize(("text", "ending"), FORGED.values(), ids=FORGED)
def test_no_answer_is_a_finding_and_no_wait(tmp_path, text, ending):
    verdict = attack(tmp_path, text)
    assert not verdict.ok and ending in verdict.ending, str(verdict)
    assert verify(f"{Path(__file__).parents[1]}/homework/right.py:Relu", "relu").ok  # and life goes on


def test_a_pickle_is_never_opened(tmp_path):
    flag = tmp_path / "opened"
    bomb = f"class Bomb:\n    def __reduce__(self): return open, ({str(flag)!r}, 'w')\n"
    head = "import pickle, struct\nbomb = pickle.dumps(Bomb())\n"
    message = "struct.pack('<Q', len(bomb)) + bomb"
    assert not attack(tmp_path, head + to_the_pipe(message), before=bomb).ok
    assert not flag.exists()


def test_the_reference_is_nowhere_to_be_found(tmp_path):
    """Neither in frames nor in objects nor as a module: what is there is NumPy and a bench."""
    search = """
class Mine(Relu):
    def forward(self, x):
        frame, seen = sys._getframe(), []
        while frame:
            seen += frame.f_locals.keys()
            frame = frame.f_back
        kinds = {type(o).__name__ for o in gc.get_objects()}
        bad = {"reference", "exact", "theirs", "judge"} & set(seen)
        bad |= {"Comparison", "Record", "Kind", "Operation", "Tensor", "Observation"} & kinds
        bad |= {"torch", "pandas", "scratchcnn", "hypothesis"} & set(sys.modules)
        bad |= {"parity.checks", "parity.comparison", "parity.faults"} & set(sys.modules)
        assert not bad, sorted(bad)
        return super().forward(x)
"""
    verdict = attack(tmp_path, search, of=RIGHT)
    assert verdict.ok, str(verdict)


PATCHED = {
    "differences are zero": "np.subtract = lambda a, b, **_: np.zeros_like(a)\nnp.abs = np.zeros_like\n",
    "all arrays are equal": "np.array_equal = lambda *_, **__: True\nnp.allclose = lambda *_, **__: True\n",
    "everything is open": "sys.modules['parity.comparison.gates'] = sys.modules['parity']\n",
}


@pytest.mark.parametrize("text", PATCHED.values(), ids=PATCHED)
def test_what_is_patched_there_is_not_patched_here(tmp_path, text):
    verdict = attack(tmp_path, text + "Mine = Relu\n")
    assert not verdict.ok and set(verdict.wrong["tensor"]) == {"out"}


LIES = {
    "masked, full of NaN": "np.ma.masked_array(np.full_like(x, np.nan), mask=True)",
    "a matrix": "np.asmatrix(super().forward(x).reshape(len(x), -1))",
    "a matrix where there are two axes": "f(np.asmatrix, super().forward(x))",
    "a type of its own, and right": "super().forward(x).view(Own)",
    "a shape that lies": "super().forward(x)[:1].view(Liar)",
    "an __array__ that lies": "Liar2()",
    "objects": "super().forward(x).astype(object)",
    "complex numbers": "super().forward(x).astype(complex)",
    "a name of escape sequences": "type('\\x1b[2J\\udc80', (), {})()",
    "more than fits": "np.broadcast_to(np.float64(0), (1 << 20, 1 << 20))",
}
LIAR = """
f = lambda change, out: change(out) if out.ndim == 2 else out
class Own(np.ndarray): pass
class Liar(np.ndarray):
    shape = property(lambda self: (2, 3))
class Liar2:
    shape, dtype, ndim = (2, 3), np.dtype(float), 2
    def __array__(self, *a, **k): return np.zeros((2, 3))
"""


@pytest.mark.parametrize("expression", LIES.values(), ids=LIES)
def test_only_plain_arrays_of_numbers_pass(tmp_path, expression):
    text = body("super().forward(x)").replace("return super().forward(x)", f"return {expression}")
    verdict = attack(tmp_path, text, before=LIAR, of=RIGHT)
    assert not verdict.ok and "out" in set(verdict.wrong["tensor"])
    printed(verdict)


KEYED = {
    "another forward at each look": "class Mine(Relu):\n"
    "    looks = 0\n"
    "    @property\n"
    "    def forward(self):\n"
    "        Mine.looks += 1\n"
    "        return super().forward if Mine.looks % 2 else (lambda x: x)\n",
    "large inputs": body("if x.size > 5000: return x"),
    "rare inputs": body("if x.sum() % 1 > 0.9: return x"),
    "numbers of another machine": body(
        "return (lambda a: a.astype(a.dtype.newbyteorder()))(super().forward(x))"
    ),
    "an interrupt": body("raise KeyboardInterrupt"),
    "a generator's end": body("raise GeneratorExit"),
    "everything is an array": "Mine = Relu\nimport builtins\nbuiltins.isinstance = lambda *_: True\n",
}


@pytest.mark.parametrize("what", KEYED)
def test_what_answers_otherwise_now_and_then_does_not_pass(tmp_path, what):
    verdict = attack(tmp_path, KEYED[what], of=RIGHT)
    assert verdict.outcome in ("wrong", "not_checked"), printed(verdict)


@pytest.mark.parametrize("key", ["id(x) // 16", "x.ctypes.data // 16"])
def test_what_depends_on_where_an_array_lies_is_wrong(tmp_path, key):
    verdict = attack(tmp_path, body(f"if {key} % 5 == 0: return x"), of=RIGHT)
    assert verdict.outcome == "wrong" and "out" in set(verdict.wrong["tensor"])


def printed(verdict):
    """The report, which may not hold a control character or half of a character."""
    text = str(verdict)
    assert all(c.isprintable() or c == "\n" for c in text)
    text.encode()
    return text


@pytest.mark.parametrize(
    "line",
    [
        "raise ValueError('\\x1b[2J\\x1b]0;owned\\x07 \\u202e backwards')",
        "raise ValueError('\\ud800 half')",
        "print('\\x1b[31mred\\x1b[0m', flush=True)",
        "raise type('\\x1b[1mE', (Exception,), {'__str__': lambda self: 1 / 0})",
        "raise ValueError('long ' * 100_000)",
    ],
    ids=["escape sequences", "half a character", "printed", "an error without words", "endless"],
)
def test_foreign_text_is_printed_without_its_controls(tmp_path, line):
    text = printed(attack(tmp_path, body(line)))
    assert len(text) < 10_000


@pytest.mark.parametrize(
    "line",
    [
        "[threading.Thread(target=time.sleep, args=(1,), daemon=True).start() for _ in range(30)]",
        "os.fork() or os._exit(0)",
        "os.fork()",
        "os.chdir('/')",
        "sys.setrecursionlimit(60); sys.stdout = sys.stderr = None",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    ],
    ids=["threads", "a fork", "a fork that comes back", "another folder", "no output", "signals"],
)
def test_odd_and_right_is_right(tmp_path, line):
    verdict = attack(tmp_path, body(line), of=RIGHT, timeout=10)
    assert verdict.ok, str(verdict)


@pytest.mark.parametrize(
    "leave",
    ["os.fork() or ", "os.fork() or os.setsid() or ", "os.fork() or os.setsid() or os.fork() or "],
    ids=["a child", "a session of its own", "a daemon"],
)
def test_nothing_runs_on_behind_it(tmp_path, leave):
    wait = f"(open({str(tmp_path / 'pid')!r}, 'a').write(f'{{os.getpid()}}\\n'), time.sleep(600))"
    verdict = attack(tmp_path, body(f"if x.ndim == 4: {leave}{wait}"), of=RIGHT)
    assert verdict is not None
    pids = (tmp_path / "pid").read_text().split()
    assert pids
    wait_until(lambda: not any(is_alive(int(pid)) for pid in pids))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_an_endless_loop_ends_with_the_checker(tmp_path, number):
    note = f"open({str(tmp_path / 'pid')!r}, 'w').write(f'{{os.getpid()}} ')"
    (tmp_path / "layers.py").write_text(HEAD + RIGHT + body(f"{note}\n        while True: time.sleep(0.01)"))
    target = f"{tmp_path}/layers.py:Mine"
    command = [sys.executable, "-m", "parity", "verify", target, "--as", "relu", "--timeout", "600"]
    checker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pid = tmp_path / "pid"
    wait_until(lambda: pid.exists() and pid.read_text().endswith(" "), checker)
    checker.send_signal(number)
    checker.wait()
    wait_until(lambda: not is_alive(int(pid.read_text())))


def test_a_file_that_verifies_itself_is_told_so(tmp_path):
    text = "import parity\nparity.assert_parity(Relu, 'relu')\n"
    verdict = attack(tmp_path, text + "Mine = Relu\n", of=RIGHT)
    assert not verdict.ok and "this file is being verified already" in str(verdict)


def test_it_cannot_reach_what_the_checker_has_open(tmp_path):
    """Of the checker's files a child sees none."""
    with open(tmp_path / "grades", "w") as grades:
        os.set_inheritable(grades.fileno(), True)
        line = f"os.write({grades.fileno()}, b'full marks')"
        attack(tmp_path, body(f"try: {line}\n        except OSError: pass"))
    assert (tmp_path / "grades").read_text() == ""
