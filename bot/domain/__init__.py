"""Rules as frozen dataclasses and pure functions. Standard library only, nothing awaits."""
