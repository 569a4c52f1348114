"""Why it is wrong, for bugs that no catalogue has; and proof where the arithmetic is exact."""
