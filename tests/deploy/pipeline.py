"""The programs of the pipeline for its tests: as modules, and run as a workflow runs them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "deploy/pipeline"


def program(name: str) -> ModuleType:
    """One of them as a module; their folder is on the path only while it is loaded."""
    sys.path.insert(0, str(PROGRAMS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(PROGRAMS))


def ran(name: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAMS / name), *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, **environment}, check=False, capture_output=True, text=True)
