"""What restricted code does instead of Python's own operations: each checks, counts, then does it.

`hooks.table` gives them under the names by which `transform` calls them.
"""
