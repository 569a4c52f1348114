"""Checkpoints in the forms that training scripts give them: read, and said what was read of them."""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from scratchcnn import NETWORKS
from scratchcnn.load_network import load_network
from scratchcnn.torch_weights import torch_state

LENET = NETWORKS["lenet"](rng=0)
STATE = {name: torch.tensor(entry.array).contiguous() for name, entry in torch_state(LENET).items()}
MOMENTS = {
    "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(3)}},
    "param_groups": [{"lr": 0.1}],
}
UNDER = "the weights are those under {} in the file"


def under(prefix, inside=""):
    return {prefix + name.replace("conv1.", f"conv1.{inside}"): a for name, a in STATE.items()}


READ = {
    "an optimizer beside it": (
        {"model_state": STATE, "optimizer": MOMENTS, "epoch": 3},
        UNDER.format("model_state"),
    ),
    "two levels": ({"checkpoint": {"model": STATE}, "epoch": 1}, UNDER.format("checkpoint.model")),
    "an average beside it": ({"model": STATE, "ema": STATE}, UNDER.format("model") + ", not those under ema"),
    "a configuration under model": ({"model": {"name": "x"}, "weights": STATE}, UNDER.format("weights")),
    "arguments and figures": (
        {
            "net": STATE,
            "args": argparse.Namespace(lr=0.1),
            "best": np.float64(0.9),
            "to": Path("x"),
            "scheduler": {"milestones": Counter([30])},
            "device": torch.device("cpu"),
        },
        UNDER.format("net"),
    ),
    "any prefix": (under("backbone."), "begin with backbone., which is ignored"),
    "a metric beside it": ({**under("net."), "acc.total": torch.ones(1)}, "and not read: acc.total"),
    "a wrapped part": (under("", "module."), "the names in the file hold module., which is ignored"),
    "a wrapped part of a model": (
        under("model.", "_fsdp_wrapped_module."),
        "hold model._fsdp_wrapped_module.",
    ),
    "an averaged model": ({**under("module."), "n_averaged": torch.tensor(3)}, "hold module., which"),
}


@pytest.mark.parametrize(("content", "note"), READ.values(), ids=READ)
@pytest.mark.parametrize("name", ["run.ckpt", "run.pkl"])
def test_the_weights_are_found_and_it_is_said_where(content, note, name, tmp_path):
    torch.save(content, tmp_path / name)
    found = load_network("lenet", tmp_path / name)
    assert note in found.note
    for key, array in LENET.params.items():
        np.testing.assert_array_equal(found.network.params[key], array)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"netG": STATE, "netD": STATE}, r"holds several state dicts \(netG, netD\); save one"),
        (
            under("student.") | under("teacher."),
            r"several networks, whose names begin with student\. and teacher",
        ),
        ({"optimizer": MOMENTS, "epoch": 3}, r"holds more than tensors \(optimizer, epoch\)"),
    ],
    ids=["two state dicts", "two prefixes", "no state dict"],
)
def test_what_cannot_be_chosen_is_named(content, sentence, tmp_path):
    torch.save(content, tmp_path / "run.pth")
    with pytest.raises(ValueError, match=sentence):
        load_network("lenet", tmp_path / "run.pth")


def test_a_prefix_in_safetensors_and_a_folder_in_the_place_of_a_file(tmp_path):
    save_file(under("cnn."), tmp_path / "w.safetensors")
    assert "begin with cnn." in load_network("lenet", tmp_path / "w.safetensors").note
    with pytest.raises(ValueError, match="is a folder; name the file of weights in it"):
        load_network("lenet", tmp_path)
