"""Fair clocks: who takes part, what is counted, memory, scaling."""
