"""A verdict as one JSON object, for programs.

    {"schema": 1,
     "target": "layers.py:Relu",          what was checked, as it was named
     "kind": "relu",                      or network, or own_layer: none of the kinds, held to its own forward
     "outcome": "right",                  right, right_but, wrong or not_checked
     "ok": true,                          right, or right_but without --strict
     "headline": "right, the same ...",   the sentence of the report's first line
     "convention": "...",                 how it was called, "" for the book's way
     "where": "in a process of its own",
     "buts": [],                          what is not right although the numbers are: sentences
     "declared": "",                      the declared difference that was found
     "not_checked": [],                   what it lacks, or why nothing could be compared
     "unchecked": "",                     why there is no verdict
     "always": "",                        what it comes to on every input: wrong without a number
     "suggestion": "",                    an adapter to be filled in, where it could not be called
     "compared": 86, "wrong": 0,          results
     "findings": [{"phase": "forward", "tensor": "out", "case": "2x3", "dtype": "float64", "layer": "relu",
                   "device": "cpu", "shape": [2, 3], "max_abs": 0.0, "max_rel": 0.0, "allowed": 1e-09,
                   "margin": 0.0, "exact": true, "ok": true, "proves": true, "why": ""}, ...],
     "wrong_function": "",                of a function and its backward the latter, where it alone is wrong
     "gradient_of": "",                   of a backward that was checked with its function, that function
     "culprit": null,                     or {"layer": ..., "phase": ..., "tensor": ..., "sentence": ...}
     "diagnosis": null,                   or {"fault": ..., "says": ..., "besides": ..., "residual": ...}
     "certificate": null,                 or {"outcome": "exact", "says": ..., "probes": 60,
                                          "tensors": ["out", ...], "passes": 9e-19}; the outcome is exact,
                                          rounded, wrong or no (does not apply)
     "explanation": null,                 or {"sentences": ["dW is PyTorch's reversed along FH and FW"],
                                          "regions": [], "example": "..."}: why numbers are wrong
     "reproduction": "",                  lines to paste
     "remarks": [],
     "judge": "torch",                    or numpy, or own loss: central differences of a network's own loss,
                                          or of the forward of an own_layer
     "protection": "a process ..."}       of the command alone: what stood between the code and the machine

A whole file is {"schema": 1, "target", "outcome", "ok", "verdicts": [as above], "unknown": [names],
"networks": [names], "unread": {name: why}, "passed_over": {name: what}, "left_out": {name: why},
"only_definitions": {file: why}, "protection"}; its outcome is that of the worst verdict. What has no
verdict of its own is in "left_out": helpers of what was checked, tests, and what is none of the kinds by its
name, which is in "unknown" too. Of a file in "only_definitions" nothing else was loaded, since running it
raised.
Numbers that are no numbers (NaN, infinities) are null. Texts hold no control characters but line ends. A
field is only ever added; whatever else changes raises `schema`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from numbers import Integral
from typing import TYPE_CHECKING, Any

from parity.comparison.records import Record
from parity.verification.verdict import Outcome, Verdict, by_judge

if TYPE_CHECKING:
    from parity.verification.whole import Sheet

SCHEMA = 1
WORST: tuple[Outcome, ...] = ("wrong", "not_checked", "right_but", "right")
ROW = ("layer", "phase", "tensor", "case", "dtype", "device", "max_abs", "max_rel", "allowed", "margin")
FLAGS = ("exact", "ok", "proves", "why")


def verdict_object(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain data, in the schema above."""
    culprit, diagnosis = verdict.culprit, verdict.diagnosis
    return {
        "schema": SCHEMA,
        "target": verdict.name,
        "kind": verdict.kind,
        "outcome": verdict.outcome,
        "ok": verdict.ok,
        "headline": by_judge(verdict.headline, verdict.judge),
        "convention": verdict.called,
        "where": verdict.where,
        "buts": list(verdict.buts),
        "declared": verdict.declared,
        "not_checked": list(verdict.not_checked),
        "unchecked": verdict.unchecked,
        "suggestion": verdict.suggestion,
        "always": by_judge(verdict.always, verdict.judge),
        "compared": 0 if verdict.always else len(verdict.records),
        "wrong": 0 if verdict.always else sum(not row.ok for row in verdict.records),
        "findings": [
            row | {"why": by_judge(str(row["why"]), verdict.judge)} for row in rows(verdict.records)
        ],
        "wrong_function": verdict.wrong_function,
        "gradient_of": verdict.gradient_of,
        "culprit": culprit
        and {name: getattr(culprit, name) for name in ("layer", "phase", "tensor", "sentence")},
        "diagnosis": {name: getattr(diagnosis, name) for name in ("fault", "says", "besides", "residual")}
        if diagnosis.fault
        else None,
        "certificate": verdict.certificate and {**asdict(verdict.certificate), "says": verdict.says_exact},
        "explanation": verdict.says_why,
        "reproduction": verdict.reproduction,
        "remarks": list(verdict.remarks),
        "judge": verdict.judge,
    }


def sheet_object(sheet: Sheet) -> dict[str, Any]:
    """All of a file as plain data, in the schema above."""
    outcomes = {verdict.outcome for verdict in sheet.verdicts}
    worst = next((outcome for outcome in WORST if outcome in outcomes), "not_checked")
    return {
        "schema": SCHEMA,
        "target": sheet.where,
        "outcome": worst,
        "ok": sheet.ok,
        "verdicts": [verdict_object(verdict) for verdict in sheet.verdicts],
        "unknown": sheet.unknown,
        "networks": sheet.networks,
        "unread": sheet.unread,
        "passed_over": sheet.passed,
        "left_out": sheet.left_out,
        "only_definitions": sheet.partly,
    }


def rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    """A row per record."""
    return [
        {name: getattr(row, name) for name in ROW}
        | {"shape": list(row.shape)}
        | {name: getattr(row, name) for name in FLAGS}
        for row in records
    ]


def as_text(found: Any) -> str:
    """The object as JSON that every reader takes: no NaN, no control characters in texts."""
    return json.dumps(_plain(found), allow_nan=False, indent=1)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(str(name)): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c == "\n" else " " for c in value)
    if isinstance(value, bool | None):
        return value
    if isinstance(value, Integral):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
