"""Inputs that are made to break a parser: one clear message each, within 200 MB."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATUS = Path("/proc/self/status")
#: What a scan may take, from the promise in docs/limits.md.
PEAK_KIB = 200 * 1024

SCAN = """
import sys
from secure_serial.cli.main import main
code = main(["scan", sys.argv[1]])
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print("peak", *peak)
sys.exit(code)
"""
CONFIG = b'{"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}'


def archive(path, config=CONFIG, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        file.writestr("config.json", config)
        file.writestr("metadata.json", b'{"keras_version": "3.15.1"}')
    return path.read_bytes()


def damaged(path):
    data = bytearray(archive(path))
    data[data.index(b"units")] ^= 1
    return bytes(data)


CASES = {
    "deep-list": (lambda _: b"[" * 100_000 + b"]" * 100_000, 1),
    "deep-object": (lambda _: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 1),
    "deep-yaml": (lambda _: b"class_name: Dense\nconfig: " + b"[" * 100_000, 1),
    "million-digits": (lambda _: CONFIG.replace(b"3", b"9" * 1_000_000), 1),
    "duplicate-key": (lambda _: CONFIG.replace(b'"module"', b'"class_name"'), 1),
    "many-layers": (lambda _: b"[" + b",".join([CONFIG] * 60_000) + b"]", 1),
    "long-name": (lambda _: CONFIG.replace(b"Dense", b"D" * 30_000_000), 1),
    "zip-bomb": (lambda p: archive(p, b" " * 50_000_000, compression=zipfile.ZIP_DEFLATED), 1),
    "truncated-zip": (lambda p: archive(p)[:-30], 4),
    "wrong-crc": (damaged, 4),
    "empty": (lambda _: b"", 4),
}


@pytest.mark.skipif(not STATUS.exists(), reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("name", CASES)
def test_a_scan_ends_with_one_verdict_and_little_memory(name, tmp_path):
    make, code = CASES[name]
    path = tmp_path / "model.keras"
    path.write_bytes(make(tmp_path / "made.zip"))
    done = subprocess.run(
        [sys.executable, "-c", SCAN, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stdout[-2000:]
    *_, (word, peak) = (line.split() for line in done.stdout.splitlines() if line[:5] == "peak ")
    assert word == "peak"
    assert int(peak) < PEAK_KIB
