"""Generators of records: a layer, a network, training steps, a whole training, the culprit."""
