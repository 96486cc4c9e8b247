"""The proof: whether a target holds what the pillow makes of its database, and nothing else."""
