"""The enforcement point: builds what was decided, and nothing else."""
