"""What works, and what is said, in a program where neither Keras nor NumPy can be imported."""

from __future__ import annotations

import subprocess
import sys

from secure_serial.construct import live

HEAD = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"keras", "numpy", "jax", "tensorflow", "torch", "h5py", "scipy"}:
            raise ImportError(f"{name} is not installed")

sys.meta_path.insert(0, Blocked())
import secure_serial as s

@s.register_keras_serializable("acme")
class Part:
    def __init__(self, **config):
        self.config = config
    def get_config(self):
        return self.config
    @classmethod
    def from_config(cls, config):
        return cls(**config)

def error(tree):
    try:
        s.deserialize_keras_object(tree)
    except s.SecureSerialError as error:
        print(type(error).__name__, "pip install keras" in error.help)
"""


def run(code):
    return subprocess.run(
        [sys.executable, "-c", HEAD + code], capture_output=True, text=True, check=True
    ).stdout.split("\n")


def test_the_programs_objects_make_the_round_trip():
    lines = run("""
tree = s.serialize_keras_object([Part(a=1, b=[2]), {"x": ...}, slice(1, 2), b"text"])
back = s.deserialize_keras_object(tree)
print(back[0].config, back[1:], not {"keras", "numpy"} & sys.modules.keys())
""")
    assert lines[0] == "{'a': 1, 'b': [2]} [{'x': Ellipsis}, slice(1, 2, None), b'text'] True"


def test_what_needs_keras_is_an_error_that_names_the_extra():
    lines = run("""
error({"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}, "registered_name": None})
error({"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"})
error({"class_name": "__tensor__", "config": {"value": [1], "dtype": "int8"}})
error({"class_name": "__keras_tensor__", "config": {"shape": [1], "dtype": "int8", "keras_history": None}})
error({"class_name": "__numpy__", "config": {"value": [1], "dtype": "int8"}})
error({"module": "os", "class_name": "system", "config": {}})
""")
    assert lines[:6] == ["ConstructionError True"] * 5 + ["LoadDenied False"]


def test_nothing_is_in_force_where_there_is_no_keras_and_that_is_said():
    lines = run("""
for put in (lambda: s.enforcing("strict").__enter__(), lambda: s.seal("strict")):
    try:
        put()
    except s.ConstructionError as error:
        print("cannot be imported" in error.message, "pip install keras" in error.help)
""")
    assert lines[:2] == ["True True"] * 2


def test_a_backend_that_is_there_is_named_where_keras_looks_for_another(monkeypatch):
    there = {"torch": object()}
    monkeypatch.setattr(live.importlib.util, "find_spec", there.get)
    assert "KERAS_BACKEND=torch, which is installed" in live._other_backend("tensorflow.python")
    assert not live._other_backend("keras")
    there.clear()
    assert not live._other_backend("tensorflow")
