"""The machine: moves events, cards, commands and operations; knows no product duty by name."""

from importlib.metadata import version

VERSION = version("pult")
