"""PyTorch, imported beside what is done before it is needed.

A command that will need it calls `begin`: a thread imports it while the code under test is loaded and tried
in its own process. Whoever imports PyTorch meanwhile waits for that thread, as Python sees to.
"""

from __future__ import annotations

import gc
import sys
import threading


class Import:
    """The import that is under way."""

    def __init__(self) -> None:
        self.single, self.usual = False, 0  # whether it is to compute on one thread, and how many it had
        self._thread = threading.Thread(target=self._run, name="import of torch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        gc.disable()  # an import leaves nothing to be collected, and looking takes a tenth of its time
        try:
            import torch  # noqa: F401
        except Exception:  # who needs it gets the exception too, and has words for it
            return
        finally:
            gc.freeze()
            gc.enable()

    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def settle(self) -> None:
        """Wait for it, and have PyTorch compute on one thread where that is asked for.

        A thread has its own number of them: the one that computes has to say it.
        """
        self._thread.join()
        if self.single and not self.usual and (torch := sys.modules.get("torch")) is not None:
            self.usual = torch.get_num_threads()
            torch.set_num_threads(1)

    def give_back(self) -> None:
        """From now on it computes on as many threads as ever."""
        if self.usual:
            sys.modules["torch"].set_num_threads(self.usual)
        self.single, self.usual = False, 0


_begun: Import | None = None


def begin() -> None:
    """Import it from now on, unless that is done or under way."""
    global _begun
    if _begun is None and "torch" not in sys.modules:
        _begun = Import()


def under_way() -> Import | None:
    """The import, where it was begun and is not over, and nobody has asked it for one thread."""
    return _begun if _begun is not None and not (_begun.single or _begun.is_over()) else None


def settle() -> None:
    """Wait for the import, if one was begun: before a process is forked, and before PyTorch computes."""
    if _begun is not None:
        _begun.settle()
