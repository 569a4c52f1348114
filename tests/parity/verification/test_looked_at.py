"""A failed record is looked at once, and again where its number or its input is another."""

import numpy as np

import scratchcnn as sc
from parity.faults.diagnose import observe
from parity.kinds.probes import probes
from parity.verification import slight
from parity.verification.slight import slight_ones


class Widens(sc.Relu):
    def forward(self, x):
        return np.asarray(super().forward(x), np.float64)


def test_it_is_looked_at_once_and_again_where_something_has_changed(monkeypatch):
    cases, looked = probes("relu"), []
    seen = observe("relu", Widens, cases=cases)
    own = slight._slight
    monkeypatch.setattr(slight, "_slight", lambda row, *rest: looked.append(row.case) or own(row, *rest))
    first = slight_ones(seen, cases)
    once = len(looked)
    again = slight_ones(seen, cases)
    assert first and again == first and len(looked) == once > 1
    case = first[0].row.case
    seen.values["float32"][case] = {name: a + 1 for name, a in seen.values["float32"][case].items()}
    assert len(slight_ones(seen, cases)) < len(first)  # the number is wrong now
    assert len(looked) == once + sum(not row.ok and row.case == case for row in seen.records)
    slight_ones(seen, [probe.copy() for probe in cases])
    assert len(looked) > 2 * once
