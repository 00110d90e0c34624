"""`python -m secure_serial`: the same as the console script `secure-serial`."""

from __future__ import annotations

from secure_serial.cli.main import entry

if __name__ == "__main__":
    entry()
