"""A name that is nearly right is answered with the right one, in every command that takes names."""

import pytest


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["kinds", "convolutoin"], "convolution"),
        (["check", "lenett"], "lenet"),
        (["time", "resnet-81"], "resnet18"),
        (["faults", "max-poolin"], "max_pooling"),
        (["verify", "scratchcnn.layers:Relu", "--as", "rleu"], "relu"),
        (["verify", "scratchcnn.layers:Relu", "--as", "relu", "--allow", "relu-leakyy"], "relu-leaky"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_the_nearest_name_is_offered(words, near, parity):
    done = parity(*words)
    assert done.status == 2 and f"; did you mean {near}" in done.err, done.err


def test_a_report_does_not_begin_where_it_could_not_be_written(parity, tmp_path):
    (tmp_path / "file").touch()
    done = parity("report", "--quick", "--out", tmp_path / "file")
    assert done.status == 2 and done.err.endswith("file is a file; --out names the folder to write to\n")
