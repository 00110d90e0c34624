"""The lock of what is done once for the process: the doors, a seal, the audit hook.

A process that forks while another thread holds a lock has a child in which nobody will ever
let it go, and one that is half set up. So a fork waits for this one. It is one lock, and not
one each, because a fork takes all of them in an order of its own: the last that was made first.
The registry has one of its own, made before this one, and who holds it waits for no other.
"""

from __future__ import annotations

import os
import threading

import secure_serial.registry  # noqa: F401 - see above

SETUP = threading.RLock()

if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(
        before=SETUP.acquire, after_in_parent=SETUP.release, after_in_child=SETUP.release
    )
