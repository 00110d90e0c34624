"""The examples in the documentation run, and say what really comes out.

- ```python blocks of a page run in order, in one new process.
- ```console blocks: each `$ secure-serial …` runs, and what stands below it is its stdout; a
  line of three dots stands for any lines. `$ echo $?` shows the exit code before it.
- ```toml blocks are policies that can be used.
- `<!-- file: NAME -->` in front of a block writes it to a file when its turn comes, and
  `<!-- append: NAME -->` adds it to one; `<!-- needs keras -->` skips it where Keras is not
  installed.
- The key that a page shows below `policy keygen` stands for the one that is really made.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from secure_serial import parse_policy
from secure_serial.limits import Limits

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "policies/*.md", "examples/*.md")
    for path in ROOT.glob(pattern)
)
HAS_KERAS = all(importlib.util.find_spec(name) for name in ("keras", "h5py", "jax"))
#: What a command needs that may not be installed.
NEEDS = {
    "load": HAS_KERAS,
    **dict.fromkeys(["keygen", "sign", "verify"], importlib.util.find_spec("cryptography")),
    "fmt": importlib.util.find_spec("tomlkit"),
}
#: The command line, but for the file in the user's home that remembers versions of policies.
START = """\
import sys
from pathlib import Path
from secure_serial.policy import source
source._home = Path.cwd
from secure_serial.cli.main import entry
entry()
"""
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ANY_LINES = "..."


class Block(NamedTuple):
    mark: str
    language: str
    text: str
    line: int


class Command(NamedTuple):
    text: str
    output: list[str]


def blocks(page, language=None):
    text = (ROOT / page).read_text(encoding="utf-8")
    found = [
        Block(m["mark"] or "", m["language"], m["text"], text.count("\n", 0, m.start("text")) + 1)
        for m in BLOCK.finditer(text)
    ]
    return [block for block in found if language in (None, block.language)]


def having(language):
    return [page for page in PAGES if blocks(page, language)]


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__*"))
    return tmp_path


def environment():
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "NO_COLOR": "1",
        "KERAS_BACKEND": "jax",
    }


def run(command, folder):
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize("page", having("python"))
def test_python_examples_run(page, folder):
    lines = []
    for block in blocks(page, "python"):
        if block.mark == "needs keras" and not HAS_KERAS:
            continue
        lines += ["\n" * max(0, block.line - 1 - "".join(lines).count("\n")), block.text]
    script = folder / "page.py"  # its line numbers are the page's
    script.write_text("".join(lines), encoding="utf-8")
    done = run([sys.executable, str(script)], folder)
    assert done.returncode == 0, f"{page}:\n{done.stderr}"


def commands(text):
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        else:
            found[-1].output.append(line)
    return found


def matches(expected, actual):
    """Whether lines are as expected; the parts between wildcards come in their order."""
    pattern = "".join(
        r"(?:.*\n)*" if line == ANY_LINES else re.escape(line) + "\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in actual)) is not None


class Reader:
    """Somebody who does what a page says, in its order."""

    def __init__(self, page, folder):
        self.page = page
        self.folder = folder
        self.code = 0
        self.keys = {}  # as the page shows them, and as they were really made

    def own(self, text):
        """A text of the page, with the keys that were really made."""
        for shown, made in self.keys.items():
            text = text.replace(shown, made)
        return text

    def follow(self):
        for block in blocks(self.page):
            kind, _, name = block.mark.partition(": ")
            if kind in ("file", "append"):
                with (self.folder / name).open("w" if kind == "file" else "a") as file:
                    file.write(self.own(block.text))
            if block.language == "console":
                for command in commands(block.text):
                    self.run(command)

    def run(self, command):
        words = shlex.split(command.text)
        if words[:1] == ["echo"]:
            assert command.output == [str(self.code)], f"{self.page}: exit code {self.code}"
            return
        named = words[2] if words[1:2] == ["policy"] else words[1]
        signed = any(word.endswith(".dsse.json") for word in words)
        if words[0] != "secure-serial" or not NEEDS.get("sign" if signed else named, True):
            return
        done = run([sys.executable, "-c", START, *map(self.own, words[1:])], self.folder)
        self.code = done.returncode
        assert self.code in (0, 1), f"{self.page}: {command.text}\n{done.stderr}"
        shown = [line for line in command.output if line != ""]
        printed = [line for line in done.stdout.splitlines() if line != ""]
        if named == "keygen":
            self.keys |= zip(shown, printed, strict=True)
        shown = [self.own(line) for line in shown]
        right = not shown or matches(shown, printed)
        assert right, f"{self.page}: {command.text}\n{done.stdout}"


@pytest.mark.parametrize("page", having("console"))
def test_commands_print_what_the_page_shows(page, folder):
    Reader(page, folder).follow()


@pytest.mark.parametrize("page", having("console"))
def test_tasks_that_a_page_names_exist(page):
    tasks = (ROOT / "tasks.py").read_text(encoding="utf-8")
    for block in blocks(page, "console"):
        for command in commands(block.text):
            name = re.fullmatch(r"python3 tasks\.py (\w+).*", command.text)
            assert name is None or f"def {name[1]}(" in tasks, command.text


@pytest.mark.parametrize("page", having("toml"))
def test_policies_on_a_page_can_be_used(page):
    for block in blocks(page, "toml"):
        if not block.mark.startswith("append: "):  # the whole is used by the commands behind it
            assert parse_policy(block.text).rules


def test_a_wildcard_stands_for_lines_and_nothing_else():
    assert matches(["a", ANY_LINES, "d"], ["a", "b", "c", "d"])
    assert matches(["a", ANY_LINES], ["a"])
    assert not matches(["a"], ["a", "b"])
    assert not matches(["a", ANY_LINES, "d"], ["a", "b"])


def test_the_page_on_limits_has_every_limit_with_its_default():
    table = dict(
        re.findall(r"^\| `(\w+)` \| ([\d,]+)", (ROOT / "docs/limits.md").read_text(), re.MULTILINE)
    )
    assert {name: int(value.replace(",", "")) for name, value in table.items()} == {
        name: getattr(Limits(), name) for name in Limits.__slots__
    }
