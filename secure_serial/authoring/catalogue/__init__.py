"""Writes down what the Keras classes of an installed package are called and take.

It imports Keras and that package: it is for one's own code. Nothing here is imported to judge
a file.
"""
