"""Stored functions, restricted: checked before they run, budgeted while they do.

`restrict.restrict` looks at the tree and compiles it; `function.build` makes a callable of that.
The checks stand in `transform` and `restrict`, and `guards` holds what runs in place of Python's
own operations. Checking needs no NumPy, running does.
"""
