"""Filter compilers, one per backend, and what they share."""
