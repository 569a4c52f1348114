"""`import scratchcnn` needs numpy alone: everything else third-party is refused while it runs."""

import importlib
import pkgutil

import pytest
from helpers import python

import scratchcnn

BLOCK = """
import sys
allowed = {"numpy", "scratchcnn", *sys.stdlib_module_names}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ImportError(f"{name} is not numpy")

sys.meta_path.insert(0, Refuse())
"""
TRAIN = """
import numpy as np
import scratchcnn as sc
network = sc.SimpleConvNet((1, 6, 6), {"filter_num": 2, "filter_size": 3}, 4, 3, rng=0)
x, t = np.zeros((4, 1, 6, 6), np.float32), np.arange(4) % 3
trainer = sc.Trainer(network, x, t, x, t, epochs=1, mini_batch_size=2, optimizer="Adam")
trainer.train()
from scratchcnn import data, naive, layers, networks
data.load()
print(network.accuracy(x, t))
"""


def run(code):
    return python("-W", "error", "-c", BLOCK + code)


def test_import_and_training_need_numpy_alone():
    done = run(TRAIN)
    assert (done.returncode, done.stderr) == (0, "")
    assert 0 <= float(done.stdout) <= 1


def test_the_block_blocks():
    done = run("import torch")
    assert done.returncode == 1 and "torch is not numpy" in done.stderr


def test_import_loads_nothing_else():
    others = ("PIL", "matplotlib", "pandas", "pooch", "rich", "safetensors", "torch", "typer")
    code = f"import sys, scratchcnn; print([name for name in {others} if name in sys.modules])"
    done = python("-c", code)
    assert (done.returncode, done.stdout.strip()) == (0, "[]")


# Modules of which other modules, and no users, import names.
INTERNAL = {
    *(
        "arrays",
        "book_command",
        "checkpoint",
        "cli",
        "commands",
        "export_command",
        "files",
        "finite",
        "kinks",
    ),
    *("labels", "learn", "learn_command", "legacy_pth"),
    *("load_network", "lookup", "onnx_rules", "params_file", "pictures", "predict_command", "recognize"),
    *("safe_pickle", "seen", "slopes", "state_dict", "summary_command", "terminal", "torch_pickle"),
    *("train_command", "typing"),
}


def public_names(name):
    """(name, object) of what a module offers: its `__all__`, else its own classes and functions."""
    module = importlib.import_module(f"scratchcnn.{name}")
    own = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    names = getattr(module, "__all__", [key for key in own if not key.startswith("_")])
    return [(key, getattr(module, key)) for key in names]


def modules():
    """Every public module and package of scratchcnn but those with names of their own."""
    names = {module.name for module in pkgutil.iter_modules(scratchcnn.__path__)}
    assert names >= INTERNAL
    return sorted(names - INTERNAL - {"__main__", "book", "data", "fast", "naive"})


@pytest.mark.parametrize("name", modules())
def test_every_public_name_of_a_module_imports_from_the_package(name):
    found = public_names(name)
    assert found
    for key, value in found:
        assert key in scratchcnn.__all__ and getattr(scratchcnn, key) is value, key


def test_the_package_exports_nothing_else():
    offered = {key for name in modules() for key, _ in public_names(name)}
    assert sorted(scratchcnn.__all__) == sorted(offered)


def test_dir_shows_the_public_names():
    packages = {"data", "fast", "naive"}
    assert set(dir(scratchcnn)) == {*scratchcnn.__all__, *packages, "__version__"}
    assert all(hasattr(scratchcnn, name) for name in dir(scratchcnn))


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'scratchcnn' has no attribute 'Conv'"):
        scratchcnn.Conv  # noqa: B018


def test_the_star_and_the_late_names_need_numpy_alone():
    code = "import scratchcnn; from scratchcnn import *"
    names = "preprocess.__module__, Convolution.__module__, scratchcnn.naive.__name__"
    done = run(f"{code}; print({names})")
    wanted = "scratchcnn.imagenet scratchcnn.layers.convolution scratchcnn.naive\n"
    assert (done.returncode, done.stderr, done.stdout) == (0, "", wanted)
