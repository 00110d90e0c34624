"""A second line below the gate: what no load needs to do ends it (PEP 578).

The gate decides what is built. Should something slip past it, or a class of the program's
own do more than build itself, the effect still has to come through the interpreter, which
announces files, processes, sockets, code and foreign functions to audit hooks. While a
gated load runs, one of ours lets pass what loads were measured to need, and nothing else.

`rules` decides and knows nothing but its arguments; `hook` looks at the interpreter.
Python code in the same process can get round a hook, and native code is not announced.
"""

from __future__ import annotations

from secure_serial.construct.tripwire.hook import Wire, exempt

__all__ = ["Wire", "exempt"]
