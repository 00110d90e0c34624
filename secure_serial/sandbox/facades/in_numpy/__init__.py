"""The operations in NumPy alone."""
