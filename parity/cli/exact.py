"""`python -m parity check --exact`: whole networks on whole numbers, by `==`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity.cli.options import Misuse, console, only_json, print_json, split_names

if TYPE_CHECKING:
    from parity.checks.whole_numbers import Exact

STATUS = {"match": 0, "undecided": 2, "mismatch": 1}
WORDS = {"match": "equal", "undecided": "could not be checked", "mismatch": "DIFFERENT"}
COLOURS = {"match": "green", "undecided": "yellow", "mismatch": "red"}


def check_networks(names: list[str] | None, seed: int, as_json: bool) -> int:
    """Print a line per network and the verdict; the exit status."""
    from parity.checks.whole_numbers import DEFAULT, check_exact

    networks, kinds = split_names(list(names or DEFAULT))
    if kinds:
        raise Misuse(
            f"--exact checks whole networks, and {', '.join(kinds)} is a layer: `python -m parity verify` "
            "prints the certificate of a layer"
        )
    found = []
    with only_json(as_json):
        for network in networks:
            found.append(check_exact(network, seed))
            _print(found[-1])
        outcome = next((o for o in ("mismatch", "undecided") if any(f.outcome == o for f in found)), "match")
        count = sum(f.outcome == "match" for f in found)
        console.print(
            f"{outcome.upper()}: {count} of {len(found)} networks equal PyTorch's, number for number (==)"
        )
    if as_json:
        from parity.verification.as_json import SCHEMA

        print_json({"schema": SCHEMA, "outcome": outcome, "networks": [_row(f) for f in found]})
    return STATUS[outcome]


def _print(found: Exact) -> None:
    from scratchcnn.cli import printable

    said = f"{found.network:15} {WORDS[found.outcome]}: {found.says}"
    console.print(printable(said), style=COLOURS[found.outcome], markup=False)
    forward, backward = found.stages
    skipped = ", ".join(f"{count} {kind}" for kind, count in found.skipped.items()) or "none"
    images = "x".join(map(str, found.images))
    console.print(
        f"{'':15} images {images}; {found.bound}; stages: {forward} forward, {backward} backward; "
        f"skipped, since their formulas are rounded: {skipped}",
        markup=False,
    )


def _row(found: Exact) -> dict[str, object]:
    forward, backward = found.stages
    return {
        "network": found.network,
        "outcome": found.outcome,
        "says": found.says,
        "images": list(found.images),
        "tensors": found.tensors,
        "numbers": found.numbers,
        "stages": {"forward": forward, "backward": backward},
        "skipped": found.skipped,
        "bound": {"k": found.k, "terms": found.K},
    }
