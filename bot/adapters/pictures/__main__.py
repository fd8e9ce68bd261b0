"""The worker: ``python -m bot.adapters.pictures FOLDER``. Sheets in on standard input, pictures out on standard output.

It ends when its input does, so it can't outlive a pult that was killed; it then takes FOLDER along, which nobody else
would clear away.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final

import orjson

from bot.adapters.pictures import frames

NICE: Final = 10
"""Alerts go first where both want the same core."""
Picture = Callable[[Mapping[str, Any]], bytes]


def main() -> None:
    """Draw until nobody asks any more."""
    os.nice(NICE)
    answers = _own_output()
    logging.disable()
    warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box
    try:
        picture = _warm()
    except Exception as error:  # noqa: BLE001 - the painter logs it
        _say(answers, frames.BROKEN, repr(error).encode())
        return
    _say(answers, frames.READY)
    while (asked := frames.read(sys.stdin.buffer)) is not None:
        try:
            _say(answers, frames.DRAWN, picture(orjson.loads(asked[1])))
        except BrokenPipeError:
            break
        except Exception as error:  # noqa: BLE001 - the painter logs it; the next sheet may be a better one
            _say(answers, frames.BROKEN, repr(error).encode())
        gc.collect()  # a figure is a knot of references around its 5 MB of pixels
    shutil.rmtree(sys.argv[1], ignore_errors=True)


def _own_output() -> BinaryIO:
    """Standard output for frames alone: whatever a library prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _warm() -> Picture:
    """Everything that a first picture needs, loaded and tried."""
    from bot.adapters.pictures.drawing import picture  # noqa: PLC0415 - what it raises is to be told

    axis = {"low": 0.0, "high": 1.0, "ticks": []}
    nothing = {
        "theme": "dark", "title": "0", "figures": "", "nothing": "0", "left_out": "", "stacked": False, "curves": [],
        "bars": [],
        "x": axis, "y": axis,
    }  # fmt: skip
    picture(nothing)
    gc.freeze()  # what is loaded now stays: later collections need not look at it
    return picture


def _say(answers: BinaryIO, kind: int, body: bytes = b"") -> None:
    answers.write(frames.frame(kind, body))
    answers.flush()


if __name__ == "__main__":
    main()
