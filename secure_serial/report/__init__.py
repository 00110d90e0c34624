"""Reports: one model of what was found, and one module for each way of showing it."""
