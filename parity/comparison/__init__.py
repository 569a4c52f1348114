"""Two arrays in, one verdict out; records and tables of verdicts. NumPy and pandas only."""
