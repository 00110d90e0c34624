"""Objects to config dictionaries: the same dictionaries that Keras itself writes.

This is the trusted direction, so nothing is judged here. Nothing is ever loaded either:
a lambda's code goes out as text, with its source beside it and with a warning.
"""

from secure_serial.serialize.walker import serialize_keras_object

__all__ = ["serialize_keras_object"]
