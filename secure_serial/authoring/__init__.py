"""What helps people write policies: format, describe, start. Nothing here decides anything.

In the words of XACML it is the policy administration point. It may read and write the files
that it is given, and imports no Keras.
"""
