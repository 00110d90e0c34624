"""A program that knows nothing of secure_serial: it tries a hostile model in every kind of process.

    python program.py HOSTILE BENIGN

Prints a JSON object: for each kind of process, what became of the hostile model.
"""

import json
import multiprocessing
import subprocess
import sys
from pathlib import Path

HOSTILE, BENIGN = sys.argv[1:3] if len(sys.argv) > 2 else ("", "")


def attempt(path):
    import keras

    try:
        keras.models.load_model(path, safe_mode=False)
    except Exception as error:  # noqa: BLE001 - its name is the result
        return type(error).__name__
    return "loaded"


def in_a_worker(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.apply(attempt, (HOSTILE,))


def in_a_python(*options):
    code = (
        f"import sys; sys.argv = ['', '', '']; sys.path.insert(0, {str(Path(__file__).parent)!r})"
    )
    code += f"\nimport program; print(program.attempt({HOSTILE!r}))"
    done = subprocess.run(
        [sys.executable, *options, "-c", code], check=False, capture_output=True, text=True
    )
    return done.stdout.strip() or f"exit {done.returncode}"


def main():
    import __main__

    __main__.__spec__ = None  # so that workers do not import this file as the program
    found = {
        "here": attempt(HOSTILE),
        "benign": attempt(BENIGN),
        "fork": in_a_worker("fork"),
        "python": in_a_python(),
        "deaf": in_a_python("-I"),
    }
    if "spawn" in sys.argv:
        found["spawn"] = in_a_worker("spawn")
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
