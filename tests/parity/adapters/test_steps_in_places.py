"""Optimizers that are handed arrays and return a step, whose words or file say what is done with it."""

from pathlib import Path
from textwrap import indent

import pytest
from helpers import right_to_its_last_step, wrong_first_at

from parity.adapters.step_meant import meant_by
from parity.verification.verify import verify

WILD = Path(__file__).parent / "wild" / "steps_in_places.py"
CASES = [  # right as it is, and where its like with Wrong in its name is first wrong
    (
        "ToBeAdded",
        "adam",
        "returned, added to its array, as the first one goes against the gradient",
        "step 2",
    ),
    ("ByItsWords", "rmsprop", "returned, taken off its array, as its own words say", "step 1"),
    ("ByItsFile", "momentum", "returned, added to its array, as its file says", "step 1"),
    ("InDicts", "adamw", "dicts of arrays; the step is returned, added", "step 2"),
    ("InPlace", "momentum", "what it returns is not looked at: its array is changed in place", "step 2"),
    ("OfTwoLists", "adagrad", "added to its array, as its own words say", "step 2"),
    ("NumberByNumber", "rmsprop", "one number at a time, an optimizer for each", "step 1"),
    ("HandedWhatItCorrects", "adam", "moments that it asks for are 0 at first", "step 2"),
    ("ShownItsArraysByRows", "adagrad", "initialize; the step is returned, taken off", "step 2"),
    ("SetsItsOptions", "momentum", "gamma is the momentum", "step 2"),
    ("OfParametersByName", "adagrad", ".parameters(), a dict, with .data and .grad", "step 2"),
]


def ask(name, kind):
    return verify(f"{WILD}:{name}", kind, isolated=False)


@pytest.mark.parametrize(("name", "kind", "called", "tensor"), CASES, ids=[c[0] for c in CASES])
def test_a_right_one_is_right_and_a_wrong_one_wrong(name, kind, called, tensor):
    right_to_its_last_step(ask(name, kind), called)
    wrong_first_at(ask(f"{name}Wrong", kind), f"W {tensor}")


@pytest.mark.parametrize("name", ["ForgetsItsArrayWrong", "PutsTheStepIntoItsArrayWrong"])
def test_a_step_in_the_place_of_the_array_is_wrong(name):
    wrong_first_at(ask(name, "sgd"), "W step 1")


def test_a_rate_for_each_gradient_is_no_step():
    assert ask("ARateForEachGradient", "adagrad").outcome == "not_checked"


SOURCES = [  # what a method `step` of that body, with these lines after its class, is meant to return
    ('        """Returns what is to be added to w."""\n        return -g\n', "", ("added", "its own words")),
    ('        """Subtract it from w."""\n        return g\n', "", ("taken off", "its own words")),
    ('        """Returns the new weights."""\n        return -g\n', "", ("array", "its own words")),
    ('        """Returns the updated gradient."""\n        return g\n', "", None),
    ("        new_w = w - g\n        return new_w\n", "", ("array", "its own words")),
    ("        update = -g\n        return update\n", "", None),
    ("        return g\n", "w -= 0.5 * o.step(w, g)\n", ("taken off", "its file")),
    ("        return g\n", "w = w + -o.step(w, g)\n", ("taken off", "its file")),
    ("        return -g\n", "d, s = o.step(w, g)\nw += d\n", ("added", "its file")),
    ("        return -g\n", "w = o.step(w, g)\n", ("array", "its file")),
    ("        return -g\n", "w = o.step(w, g)\nw += o.step(w, g)\n", None),
    ("        return -g\n", "o.step(w, g)\n", None),
]


@pytest.mark.parametrize(("body", "after", "meant"), SOURCES)
def test_what_a_step_is_meant_to_return(body, after, meant, tmp_path):
    file = tmp_path / "steps.py"
    optimizer = f"class O:\n    def step(self, w, g):\n{body}\n\n"
    file.write_text(f"{optimizer}def train(o, w, g):\n    pass\n{indent(after, '    ')}")
    names = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    assert meant_by({"step": names["O"].step}).get("step") == meant


@pytest.mark.parametrize(
    ("name", "kind", "but"),
    [
        ("NadamInside", "nadam", "corrected by 1 - beta1**t; and its eps stands inside the root"),
        ("AdadeltaOfGamma", "adadelta", "its eps is 1e-08, PyTorch's 1e-06"),
    ],
)
def test_a_form_and_an_eps_of_their_own_are_said(name, kind, but):
    verdict = ask(name, kind)
    assert verdict.outcome == "right_but" and but in verdict.buts[0], str(verdict)
    assert ask(f"{name}Wrong", kind).outcome == "wrong"
