"""Timing both frameworks fairly: contestants, costs, memory, scaling, tables."""
