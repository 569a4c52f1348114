"""Asking a subject that is held to its own numbers: what ends its process becomes the words of a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from parity.adapters.bench import Raised
from parity.adapters.connection import Ended, Unfinished
from parity.adapters.own_network_subject import OwnSubject
from parity.comparison.gates import held
from parity.comparison.records import Place, record
from parity.verification.verdict import Verdict


@contextmanager
def asked(subject: OwnSubject, verdict: Verdict) -> Iterator[None]:
    """Within it the subject is asked; after it, it is closed, and the verdict has what it printed."""
    try:
        yield
    except Unfinished as error:
        verdict.unfinished = str(error)
    except (Ended, Raised) as error:
        verdict.unchecked = str(error) if isinstance(error, Ended) else f"it raised {error}"
    finally:
        verdict.output = subject.close()


def load(subject: OwnSubject, verdict: Verdict, model: str = "") -> None:
    """Load it and look for ways; where that raises or hangs, a record says so."""
    try:
        subject.open()
    except (Ended, Raised) as error:
        verdict.unchecked = str(error) if isinstance(error, Ended) else f"raised {error}"
        place = Place(model, "float64", "cpu")
        verdict.records.append(
            record(place, verdict.kind, "import", "the module", held((), verdict.unchecked))
        )
