"""What strangers' code may do while it is checked: compute, and nothing else."""
