"""Batches on a Dask cluster: `dask scheduler`, and on each machine `dask worker tcp://host:port`.

Dask does the scheduling, the transport and the retries. A worker runs a batch like a local sweep, in a
separate process, and sends back a Parquet file. Only the sweep itself writes, so a batch that was run twice,
because its worker died, is stored once. Cells for CUDA go to workers that announce a GPU:

    dask worker tcp://host:port --resources "GPU=1"
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from parity.sweep.cell import CannotRun
from parity.sweep.cells import Batch
from parity.sweep.worker import Result, Runners

AHEAD = 2  # batches per thread of the cluster that are submitted at a time
PATIENCE = 10.0  # seconds without a scheduler, or at the start without a worker
RETRIES = 2


class ClusterError(RuntimeError):
    """The cluster cannot be reached, or cannot run this."""


class Cluster:
    """A connection to a scheduler. Raises ClusterError if none answers, or if it has no usable worker."""

    def __init__(self, address: str, patience: float | None = None):
        self._asked, self._threads = 0.0, 1
        try:
            from distributed import Client
        except ImportError:
            raise ClusterError("--scheduler needs dask: pip install 'scratchcnn[sweep]'") from None
        self.address, self.patience = address, PATIENCE if patience is None else patience
        try:
            self.client = Client(address, timeout=self.patience, set_as_default=False)
        except (OSError, ValueError) as error:
            why = str(error).split("\n")[0]
            raise ClusterError(
                f"no Dask scheduler answers at {address} ({why}); start one: dask scheduler"
            ) from None
        try:
            self._check_workers()
        except BaseException:
            self.close()
            raise

    def _check_workers(self) -> None:
        """Raise ClusterError if there are no workers, or if their versions differ from those here."""
        try:
            self.client.wait_for_workers(1, timeout=self.patience)
        except TimeoutError:
            raise ClusterError(
                f"the scheduler at {self.address} has no workers; start some: dask worker {self.address}"
            ) from None
        here = versions()
        try:
            answers = self.client.run(versions)
        except ImportError as error:
            raise ClusterError(
                f"a worker of {self.address} cannot import parity ({error}); install it there"
            ) from None
        for worker, there in answers.items():
            other = [f"{k} {there.get(k)}, here {here[k]}" for k in here if there.get(k) != here[k]]
            if other:
                raise ClusterError(
                    f"the worker {worker} has {'; '.join(other)}; equal rows need equal versions"
                )

    def workers(self) -> dict[str, dict[str, Any]]:
        """The scheduler's description of its workers; empty while it cannot be reached."""
        found: dict[str, dict[str, Any]] = self.client.scheduler_info(n_workers=-1).get("workers", {})
        return found

    def _window(self) -> int:
        """How many batches to have submitted at a time; workers may come and go."""
        if not self._asked or time.monotonic() - self._asked > 2:
            self._asked = time.monotonic()
            self._threads = self.threads()
        return AHEAD * self._threads

    def threads(self) -> int:
        return sum(worker["nthreads"] for worker in self.workers().values()) or 1

    def has_gpu(self) -> bool:
        return any(worker["resources"].get("GPU") for worker in self.workers().values())

    def run(
        self, batches: Iterable[Batch], timeout: float = 60.0, memory: int = 2048, target: str = ""
    ) -> Iterator[tuple[Batch, Result]]:
        """Each batch with its result, as they finish.

        Raises ClusterError when the scheduler is gone or a batch was lost, CannotRun as `run_local` does.
        """
        running: dict[Any, Batch] = {}
        coming, lost = iter(batches), 0.0
        try:
            while True:
                room = 0 if lost else self._window() - len(running)
                for batch in islice(coming, max(room, 0)):
                    running[self._submit(batch, timeout, memory, target)] = batch
                if not running and not lost:
                    return
                done = self._wait(running)
                lost = 0.0 if self.client.status == "running" else lost or time.monotonic()
                if self.client.status == "closed" or (lost and time.monotonic() - lost > self.patience):
                    raise self._gone()
                for future in done:
                    yield running.pop(future), self._result(future)
        finally:
            if self.client.status == "running":
                self.client.cancel(list(running))

    def _submit(self, batch: Batch, timeout: float, memory: int, target: str) -> Any:
        if batch.needs_gpu and not self.has_gpu():
            raise ClusterError(
                f"the part {batch.part!r} needs a GPU and no worker announces one; start one: "
                f'dask worker {self.address} --resources "GPU=1"'
            )
        return self.client.submit(
            run_on_worker,
            *(batch.cells, timeout, memory, target),
            key=f"sweep-{batch.id}-{time.time_ns()}",
            pure=False,
            retries=RETRIES,
            resources={"GPU": 1} if batch.needs_gpu else None,
        )

    def _wait(self, running: dict[Any, Batch]) -> list[Any]:
        """The futures that are done, after a second at most."""
        from distributed import wait

        try:
            with self.client.as_current():
                return list(wait(list(running), timeout=1, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            return []
        except Exception as error:  # cancelled futures: their scheduler is gone
            if self.client.status == "running":
                raise ClusterError(f"the cluster at {self.address} failed: {error}") from None
            time.sleep(0.2)
            return []

    def _result(self, future: Any) -> Result:
        from distributed import KilledWorker

        try:
            found: Result = future.result(timeout=self.patience)
        except CannotRun:
            raise
        except KilledWorker as error:
            raise ClusterError(f"a batch was abandoned: {str(error).splitlines()[0]}") from None
        except Exception as error:
            if self.client.status != "running":  # the scheduler went away after it was done
                raise self._gone() from None
            why = f"{type(error).__name__}: {error}".splitlines()[0]
            raise ClusterError(f"the cluster at {self.address} abandoned a batch: {why}") from None
        future.release()
        return found

    def _gone(self) -> ClusterError:
        return ClusterError(f"the scheduler at {self.address} is gone")

    def close(self) -> None:
        self.client.close(timeout=2)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


# -- on the worker --------------------------------------------------------------------------------
_runners = Runners()  # of this worker; their processes end with it, when their stdin is closed


def run_on_worker(cells: Any, timeout: float, memory: int, target: str) -> Result:
    return _runners.run(cells, timeout, memory, target)


def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name).partition("+")[0] for name in ("scratchcnn", "numpy", "torch")}
