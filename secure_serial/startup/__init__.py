"""A seal for programs that know nothing of this package: set when Python starts, held ever after.

`secure-serial run` writes a folder (`told.prepare`) and puts it first on PYTHONPATH. Every
Python that starts below finds `sitecustomize` there, which waits for Keras to be imported
and then has the process sealed (`told.obey`). What cannot be sealed does not go on.
"""
