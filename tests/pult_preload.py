"""Imports all of pult, for the server whose forks start with it (tests/pult_fork.py). For nobody else."""

from __future__ import annotations

import importlib
import pkgutil

SINGLE = (
    "bot.__main__", "bot.cli.run", "bot.cli.logs", "bot.adapters.sql.migrate", "bot.adapters.sql.sqlite",
    "bot.adapters.sql.postgres", "kubernetes.aio.client", "pydo.aio", "pytest",
)  # fmt: skip
WHOLE = ("bot.engine", "bot.compose", "bot.platforms", "bot.edge", "bot.adapters.words", "handlers")
"""Packages with every module in them."""

for _name in SINGLE:
    importlib.import_module(_name)
for _package in WHOLE:
    for _module in pkgutil.walk_packages(importlib.import_module(_package).__path__, f"{_package}."):
        if not _module.name.endswith("__main__"):
            importlib.import_module(_module.name)
