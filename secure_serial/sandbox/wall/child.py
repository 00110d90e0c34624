"""The child: takes in what it needs, closes the walls behind it, and evaluates.

It is started with its own command line, no environment, and three file descriptors: two
pipes and the shared memory. After the walls are closed it opens nothing any more.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from secure_serial.errors import SandboxError
from secure_serial.sandbox.meter import EXCEEDED
from secure_serial.sandbox.wall import frames
from secure_serial.sandbox.wall.codec import NotPlain, Reader, TooLarge, Writer
from secure_serial.sandbox.wall.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from secure_serial.sandbox.wall.frames import Inner

    Make = Callable[[Mapping[str, Any]], Callable[..., object]]

#: Characters of the text of an error.
_TEXT = 500


def main(given: Mapping[str, Any]) -> None:
    """Be the child of a worker: what `python -c` calls."""
    from secure_serial.sandbox.wall import evaluator

    try:
        evaluator.prepare()
    except Exception as error:  # noqa: BLE001 - the parent says it
        text = f"{type(error).__name__}: {error}"
        said = json.dumps(["broken", text[:_TEXT]]).encode("ascii")
        os.write(given["outlet"], frames.framed(said))  # less than a pipe holds
        return
    run(given, evaluator.make)


def run(given: Mapping[str, Any], make: Make) -> None:
    """Close the walls, say which, and serve until the parent hangs up."""
    from secure_serial.sandbox.wall.closing import close_all

    segment = Segment(given["segment"], given["incoming"], given["outgoing"])
    os.close(given["segment"])
    line = frames.Inner(given["inlet"], given["outlet"])
    gc.collect()
    gc.freeze()  # what is there now stays, and need not be looked through again
    walls = close_all(given["memory_bytes"], given["parent"])
    forget_paths()
    line.send(frames.framed(Writer(segment, 0, 0).message("ready", *sorted(walls))))
    serve(line, segment, make)
    os._exit(0)  # there is nothing to tidy up, and no right to do so


def forget_paths() -> None:
    """A late import of what was not taken in fails as one that is not installed."""
    sys.path.clear()
    sys.path_importer_cache.clear()


def serve(line: Inner, segment: Segment, make: Make) -> None:
    """Answer each request, until the parent hangs up."""
    made: dict[str, Any] = {}
    while True:
        try:
            request = line.receive()
        except frames.Ended:
            return
        if request.startswith(frames.ASKED):
            answer_by_blocks(request, line, segment, made, make)
        else:
            line.send(frames.framed(answer(request, segment, made, make)))


def answer(request: bytes, segment: Segment, made: dict[str, Any], make: Make) -> bytes:
    """What goes back: a value, or an error in words."""
    reader = Reader(segment, 0, segment.incoming, copy=False)
    writer = outgoing(segment)
    try:
        key, spec, args, kwargs = reader.message(request)
        if spec is not None:
            made[key] = make(reader.value(spec))
        value = made[key](*reader.value(args), **reader.value(kwargs))
        return frame_sized(writer.message("value", writer.value(value)))
    except SandboxError as error:
        return writer.message("refused", error.code, error.message[:_TEXT], error.help[:_TEXT])
    except NotPlain as error:
        text = f"the restricted function gave what it may not: {error}"
        return writer.message("refused", error.code, text[:_TEXT], "")
    except (MemoryError, RecursionError) as error:
        text = f"the restricted function needs too much: {type(error).__name__}"
        return writer.message("refused", EXCEEDED, text, "")
    except Exception as error:  # noqa: BLE001 - the parent raises it as ours
        text = f"the restricted function failed: {type(error).__name__}: {error}"
        return writer.message("refused", SandboxError.code, text[:_TEXT], "")


def answer_by_blocks(
    request: bytes, line: Inner, segment: Segment, made: dict[str, Any], make: Make
) -> None:
    """Compute one block after the other, as they come; where that fails, the parent asks again."""
    writer = Writer(segment, 0, 0)
    begun = False
    try:
        for described in _blocks(request, line, segment, made, make):
            if begun:
                line.send(frames.DONE)
            else:
                line.send(frames.framed(writer.message("value", described)))
            begun = True
    except Exception:  # noqa: BLE001 - computed at once, it says what it is
        if not begun:
            line.send(frames.framed(writer.message("value", None)))
            return
        line.send(frames.FAILED)
        while line.some(1) == frames.NEXT:
            pass  # the parent had sent it before it heard


def _blocks(
    request: bytes, line: Inner, segment: Segment, made: dict[str, Any], make: Make
) -> Iterator[Any]:
    def wait() -> None:
        if line.some(1) != frames.NEXT:
            raise frames.Ended

    reader = Reader(segment, 0, segment.incoming, copy=False)
    _, key, spec, places, size = reader.message(request)
    if spec is not None:
        made[key] = make(reader.value(spec))
    given = [reader.value(place) for place in places]
    by_blocks: Callable[..., Iterator[Any]] = made[key].by_blocks
    return by_blocks(given, size, wait, partial(outgoing, segment))


def outgoing(segment: Segment) -> Writer:
    """What writes into the half of the memory that the parent reads."""
    return Writer(segment, segment.incoming, segment.size)


def frame_sized(message: bytes) -> bytes:
    """The message, if it is not too long to be sent."""
    if len(message) > frames.MOST:
        raise TooLarge(f"values of {len(message):,} bytes of text")
    return message
