"""The plain functions of a file that together are a network, as one thing that can be named in a target."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from parity.adapters.function_groups import groups_of
from parity.adapters.network_words import meanings_of_call
from parity.kinds import kind_of
from parity.verification.listed_names import Listed


def descends_itself(node: ast.FunctionDef) -> bool:
    """Whether it trains: it takes inputs, labels, a rate and how often, and is no step of an optimizer."""
    return {*meanings_of_call([arg.arg for arg in node.args.args])} >= {"x", "t", "lr", "epochs"}


def with_networks_of_functions(
    body: Sequence[ast.stmt], found: Sequence[Listed], network: str
) -> list[Listed]:
    """Those networks, which say something of their layers as well, followed by what else was found in a file.

    A function that is a layer or an activation by itself gives no network its gradients; a loss by its
    name that takes the inputs and the weights is a part of that network alone.
    """
    kinds = [(one.name.rpartition(",")[2], one.kind) for one in found if one.kind not in ("", network)]
    layers = {name for name, kind in kinds if kind_of(kind).role != "loss"}
    groups = [group for group in groups_of(body) if group.gradient.name not in layers]
    losses = [(group.loss, group.given[group.loss.name]) for group in groups if group.loss is not None]
    with_weights = {loss.name for loss, given in losses if "x" in dict(given).values()}
    left = [one for one in found if one.name not in with_weights]
    return [Listed(group.name, network) for group in groups] + left
