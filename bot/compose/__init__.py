"""The one place that names concrete classes and wires them. It opens, wires and closes; it decides nothing.

``core`` is what stands before the first webhook, ``parts`` everything pult talks to, ``wiring`` what works behind the
webhook port.
"""

from bot.compose.parts import Parts, open_parts
from bot.compose.wiring import Pult, pult

__all__ = ["Parts", "Pult", "open_parts", "pult"]
