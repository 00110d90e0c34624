"""How many real configs of Keras 0 to 2 come to life: in Keras alone, here, and here migrated.

    python -m benchmarks.legacy_corpus [--jobs N] [--timeout SECONDS] [--only TEXT] [--json PATH]

For each file of the corpus three questions are asked, in processes of their own that are
ended when they take too long:

- **stock**: does Keras's own `load_model` (where the corpus has the `.h5` file) or
  `model_from_json` give a model? Keras 3 reads neither YAML nor TensorFlow.js any more: there
  it is handed the model's config as JSON, which is more than it would do by itself;
- **ours**: does `secure_serial.load_model` of the same file, with the policy `legacy-keras2`?
- **migrated**: the same with `migrate=True`.

A model counts if it is built; with `migrate=True` it is also asked for one forward pass on
zeros, and a failure of that counts as one. Prints a table, a summary, and the reasons by kind.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared" / "corpus" / "real"
WAYS = ("stock", "ours", "migrated")
POLICY = "legacy-keras2"
#: A forward pass on zeros needs numbers for unknown extents; more elements than this are not
#: worth the wait.
EXTENT = 8
_MOST_ELEMENTS = 1 << 22
_REASON_CHARS = 160


def main() -> int:
    """Ask about every row and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=REAL)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for each question")
    parser.add_argument("--only", default="", help="rows whose path or config contains this text")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--json", type=Path, help="write the results here, too")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return serve(args.corpus)
    rows = json.loads((args.corpus / "index.json").read_text(encoding="utf-8"))["rows"]
    rows = [row for row in rows if args.only in f"{row['path']} {row['config']}"]
    ways = args.ways.split(",")
    results = ask_all(rows, ways, args)
    show(rows, results, ways)
    if args.json:
        table = [
            {"path": r["path"], "config": r["config"], **results[i]} for i, r in enumerate(rows)
        ]
        args.json.write_text(json.dumps(table, indent=1), encoding="utf-8")
    return 0


# The side that asks.


def ask_all(rows: list[Any], ways: list[str], args: argparse.Namespace) -> list[dict[str, str]]:
    """The answers for each row, by way: "" where a model came to life, else the reason."""
    results: list[dict[str, str]] = [{} for _ in rows]
    todo: queue.Queue[tuple[int, str]] = queue.Queue()
    for index in range(len(rows)):
        for way in ways:
            todo.put((index, way))

    def run() -> None:
        worker = Worker(args.corpus, args.timeout)
        while True:
            try:
                index, way = todo.get_nowait()
            except queue.Empty:
                break
            answer = results[index][way] = worker.ask(rows[index], way)
            said = answer[:_REASON_CHARS] or "yes"
            print(f"{todo.qsize():5} left  {rows[index]['config']} {way}: {said}", file=sys.stderr)
        worker.end()

    threads = [threading.Thread(target=run) for _ in range(args.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Worker:
    """A process that has imported Keras and answers questions, replaced when it hangs."""

    def __init__(self, corpus: Path, timeout: float) -> None:
        self._command = [
            sys.executable, "-m", "benchmarks.legacy_corpus", "--worker", "--corpus", str(corpus),
        ]  # fmt: skip
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None

    def ask(self, row: dict[str, Any], way: str) -> str:
        """One question, and one answer in time."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(self._timeout, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps({"row": row, "way": way}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if line:
            return str(json.loads(line))
        self.end()
        return f"ended, or took more than {self._timeout:.0f} s"

    def end(self) -> None:
        """Let the process go."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        return self._process


# The side that answers.


def serve(corpus: Path) -> int:
    """Answer questions from stdin, one a line, on stdout."""
    out = os.dup(1)
    os.dup2(2, 1)  # what Keras prints is not an answer
    for line in sys.stdin:
        question = json.loads(line)
        answer = reason(question["row"], question["way"], corpus)
        os.write(out, (json.dumps(answer) + "\n").encode())
    return 0


def reason(row: dict[str, Any], way: str, corpus: Path) -> str:
    """Why a row gives no model in one of the ways; "" if it does."""
    import keras

    keras.utils.clear_session()
    keras.ops.zeros(1)  # the backend looks around for devices when it is first used
    try:
        if way == "stock":
            stock(row, corpus)
        else:
            model = ours(row, corpus, migrate=way == "migrated")
            if way == "migrated":
                run_once(model)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
        text = getattr(error, "message", None) or str(error)
        code = getattr(error, "code", "")
        return f"{type(error).__name__} {code}: {' '.join(text.split())}"[:1200]
    return ""


def stock(row: dict[str, Any], corpus: Path) -> Any:
    """Keras alone."""
    import keras

    if "file" in row:
        return keras.models.load_model(corpus / row["file"])
    return keras.models.model_from_json(json.dumps(config_of(corpus / row["config"])))


def config_of(path: Path) -> Any:
    """The config of a row's text, without what wraps it."""
    from secure_serial.artifact import read_artifact
    from secure_serial.artifact.content import wrapper_of

    root: Any = read_artifact(path).parts[0].root
    while isinstance(root, dict) and (wrapper := wrapper_of(root)) is not None:
        root = root[wrapper]
    return root


def ours(row: dict[str, Any], corpus: Path, *, migrate: bool) -> Any:
    """By this package, from the very file where there is one."""
    import secure_serial

    path = corpus / (row["file"] if "file" in row else row["config"])
    options = {"migrate": True} if migrate else {}
    with tempfile.TemporaryDirectory() as folder:
        return secure_serial.load_model(
            path, policy=POLICY, audit=Path(folder, "audit.jsonl"), **options
        )


def run_once(model: Any) -> None:
    """One forward pass on zeros, where the model knows its inputs."""
    import keras
    import numpy as np

    if not getattr(model, "built", False) or not getattr(model, "inputs", None):
        return
    feeds = []
    for tensor in model.inputs:
        shape = [1 if i == 0 and n is None else EXTENT if n is None else n
                 for i, n in enumerate(tensor.shape)]  # fmt: skip
        if int(np.prod(shape)) > _MOST_ELEMENTS:
            return
        feeds.append(np.zeros(shape, keras.backend.standardize_dtype(tensor.dtype)))
    model(feeds[0] if len(feeds) == 1 else feeds)


# The table.


def show(rows: list[Any], results: list[dict[str, str]], ways: list[str]) -> None:
    """The table, the summary and the reasons by kind."""
    print(f"| file | {' | '.join(ways)} | reason |")
    print("|---" * (len(ways) + 2) + "|")
    for row, answers in zip(rows, results, strict=True):
        marks = " | ".join("no" if answers[way] else "yes" for way in ways)
        why = answers[ways[-1]][:_REASON_CHARS].replace("|", "/")
        name = f"{Path(row['config']).stem[:8]} {row['path'][-50:]}"
        print(f"| {name} | {marks} | {why} |")
    print()
    for way in ways:
        print(f"{way}: {sum(not a[way] for a in results)} of {len(rows)}")
    kinds = collections.Counter(a[ways[-1]][:90] for a in results if a[ways[-1]])
    for kind, count in kinds.most_common():
        print(f"{count:5} {kind}")


if __name__ == "__main__":
    raise SystemExit(main())
