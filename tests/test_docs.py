"""The examples in the documentation run, and say what really comes out.

- ```python blocks of a page run in order, in one new process.
- ```console blocks: each `$ secure-serial …` runs, and what stands below it is its stdout; a
  line of three dots stands for any lines. `$ echo $?` shows the exit code before it.
- ```toml blocks are policies that can be used.
- `<!-- file: NAME -->` in front of a block writes it to a file, `<!-- needs keras -->` skips
  it where Keras is not installed.
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


@pytest.mark.parametrize("page", having("console"))
def test_commands_print_what_the_page_shows(page, folder):
    for block in blocks(page):
        if block.mark.startswith("file: "):
            (folder / block.mark.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
    code = 0
    for block in blocks(page, "console"):
        for command in commands(block.text):
            words = shlex.split(command.text)
            if words[:1] == ["echo"]:
                assert command.output == [str(code)], f"{page}: exit code {code}"
                continue
            if words[0] != "secure-serial" or (words[1] == "load" and not HAS_KERAS):
                continue
            done = run([sys.executable, "-m", "secure_serial", *words[1:]], folder)
            code = done.returncode
            assert code in (0, 1), f"{page}: {command.text}\n{done.stderr}"
            shown = [line for line in command.output if line != ""]
            printed = [line for line in done.stdout.splitlines() if line != ""]
            assert not shown or matches(shown, printed), f"{page}: {command.text}\n{done.stdout}"


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
