"""Timing both frameworks fairly: contestants, costs, counts, memory, scaling, tables."""
