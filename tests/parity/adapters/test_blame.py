"""The code's own exception comes first, with its line; an adapter replaces neither it nor its place."""

from pathlib import Path

import pytest

from parity.verification.verify import verify

HOMEWORK = Path(__file__).parents[1] / "homework"
LAYER = """
class Relu:
    def forward(self, x):
        from helper import factor
        self.mask = x > 0
        return factor * x * self.mask

    def backward(self, dout):
        raise IndexError("a mistake of mine")
"""
ADAPTER = """
from parity.adapters import BookAdapter
from helper import factor

class Handles(BookAdapter):
    def backward(self, layer, probe):
        try:
            return layer.backward(probe.inputs["dout"])
        except Exception:
            return {}["dx"]

class Whole(BookAdapter):
    def results(self, layer, probe):
        return {"out": self.forward(layer, probe), "dx": self.backward(layer, probe)}

class Broken(BookAdapter):
    def backward(self, layer, probe):
        return {}["dx"]
"""
MINE = r"backward raised IndexError: a mistake of mine (layers.py, line 9) (forward is right)"


@pytest.fixture
def judged(tmp_path):
    """The verdict by one of the adapters, which lies in a folder of its own with a helper of its own."""
    for name, text in (
        ("code/layers.py", LAYER),
        ("code/helper.py", "factor = 1"),
        ("adapters/adapter.py", ADAPTER),
        ("adapters/helper.py", "factor = 2"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def run(name):
        target = f"{tmp_path}/code/layers.py:Relu"
        return verify(target, "relu", adapter=f"{tmp_path}/adapters/adapter.py:{name}")

    return run


@pytest.mark.parametrize("adapter", ["Handles", "Whole"])
def test_neither_the_exception_nor_the_place_changes(judged, adapter):
    verdict = judged(adapter)
    assert (verdict.outcome, verdict.unchecked) == ("not_checked", MINE)
    assert set(verdict.wrong["tensor"]) == {"dx"}


def test_an_adapter_s_own_mistake_is_its_own(judged):
    assert judged("Broken").unchecked.startswith("backward raised KeyError: 'dx' (adapter.py, line 18)")


def test_the_line_is_that_of_the_code_and_not_of_a_package_elsewhere(tmp_path):
    package = tmp_path / "site-packages" / "far_away_package.py"
    package.parent.mkdir()
    package.write_text("def load(name):\n    raise OSError(name)\n")
    text = f"import sys\nsys.path.append({str(package.parent)!r})\nimport far_away_package\n"
    (tmp_path / "mine.py").write_text(
        f"{text}class Relu:\n    def forward(self, x):\n        return far_away_package.load('gone')\n"
    )
    verdict = verify(f"{tmp_path}/mine.py:Relu", "relu")
    assert "OSError: gone (mine.py, line 6)" in verdict.headline
