"""Work spread over processes: results in order, and an end when the one who asked is interrupted."""

import time

import pytest

from parity.adapters.process_pool import processes


def waiting(path):
    """The first is done at once; the others are at work for as long as anybody would wait for them."""
    if path.name != "0":
        time.sleep(30)
    path.touch()


@pytest.mark.slow
def test_an_interruption_ends_what_is_under_way(tmp_path):
    with pytest.raises(KeyboardInterrupt), processes(2) as spread:
        next(spread(waiting, [tmp_path / str(n) for n in range(6)]))
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["0"]
