"""The house's rules that no linter knows: one file per duty, listed once; short files; one door for each outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path.relative_to(ROOT) for top in ("bot", "handlers", "config") for path in (ROOT / top).rglob("*.py"))
LIBRARIES = {
    "slack_sdk": ("bot/platforms/slack",),
    "slack_bolt": ("bot/platforms/slack",),
    "telegram": ("bot/platforms/telegram",),
    "kubernetes": ("bot/adapters/kubernetes",),
    "pydo": ("bot/adapters/digitalocean",),
    "gidgethub": ("bot/adapters/github",),
    "icalendar": ("bot/adapters/calendar",),
    "recurring_ical_events": ("bot/adapters/calendar",),
    "prometheus_api_client": ("bot/adapters/prometheus",),
    "dbos": ("bot/engine/execution.py", "bot/engine/journal.py"),
    "alembic": ("bot/adapters/sql",),
    "matplotlib": ("bot/adapters/pictures",),
    "PIL": ("bot/adapters/pictures",),
    "promql_parser": ("bot/simulator/prometheus",),
}
"""Library → the only places that may import it, also inside a function."""
CALLS = {
    "os.environ": ("config",),
    "os.getenv": ("config",),
    "datetime.now": ("bot/adapters/clock.py", "bot/simulator"),
    "datetime.utcnow": (),
    "datetime.today": (),
    "time.time": ("bot/engine/journal.py",),
}
"""Name → the only places that may use it."""
UNLISTED = {
    "commands": {
        "event_words",
        "evidence",
        "evidence_case",
        "evidence_forge",
        "evidence_known",
        "evidence_trivy",
        "failover_attest",
        "failover_facts",
        "failover_plan",
        "failover_reports",
        "failover_rooms",
        "failover_status",
        "logs_asked",
        "logs_shown",
        "pods_asked",
        "pods_deaths",
        "pods_jobs",
        "pods_words",
        "node_named",
        "promote_resolve",
        "promote_targets",
        "rehearsed",
        "releases_known",
        "releases_trail",
        "replies",
        "rollback_earlier",
        "scale_git",
        "slo_asked",
        "slo_how",
        "slo_list",
        "slo_one",
        "slo_regions",
        "vitals",
    },
    "schedules": {"once", "spending"},
    "webhooks": {"body", "github_runs", "gitops", "groups", "names", "proofs"},
    "flows": {
        "applied",
        "evicting",
        "failover_data",
        "failover_frame",
        "failover_links",
        "failover_rehearsal",
        "failover_room",
        "failover_spare",
        "failover_tools",
        "failover_users",
        "git",
        "hands",
        "looks",
        "pipelines",
        "rollouts",
        "scale_git",
        "told",
        "tools",
        "verify",
    },
    "cards": {
        "ailing",
        "arrivals",
        "budget",
        "budgets",
        "changes",
        "cost",
        "drill",
        "drills",
        "eaten",
        "happened",
        "history",
        "own",
        "posture",
        "sizing",
        "release_changes",
        "release_news",
        "release_seen",
        "spending",
        "surroundings",
        "suspects",
        "trend",
        "region",
    },
}
"""What several duties of a folder share; everything else in it is a duty."""


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Every module that *path* imports, wherever in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def used(path: Path) -> Iterator[str]:
    """Every ``name.attribute``, and every ``from name import attribute``."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=attribute):
                yield f"{name}.{attribute}"
    yield from imported(path)


def outside(names: set[str], path: Path, doors: dict[str, tuple[str, ...]]) -> list[str]:
    return [name for name in names & doors.keys() if not any(path.is_relative_to(door) for door in doors[name])]


def duties(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / "handlers" / folder).glob("*.py")} - {"__init__"} - UNLISTED[folder]


def listed(package: str, *where: str) -> set[str]:
    """Modules of *package* that the files *where* import."""
    found = {name for each in where for name in imported(Path(each))}
    return {name.removeprefix(f"{package}.") for name in found if name.startswith(f"{package}.")}


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 100


def test_files_stay_readable() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    limits = {path: 80 if path.is_relative_to("bot/ports") else 300 for path in SOURCES}
    assert {str(path): length for path, length in lengths.items() if length > limits[path]} == {}


def test_each_library_is_imported_in_one_place() -> None:
    found = {
        str(path): outside({name.partition(".")[0] for name in imported(path)}, path, LIBRARIES) for path in SOURCES
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_the_environment_and_the_present_have_one_reader() -> None:
    found = {str(path): outside(set(used(path)), path, CALLS) for path in SOURCES}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("folder", ["commands", "flows", "cards", "schedules"])
def test_every_duty_is_listed(folder: str) -> None:
    assert listed(f"handlers.{folder}", "handlers/__init__.py") >= duties(folder)


def test_every_webhook_source_is_wired() -> None:
    wired = listed("handlers.webhooks", *(str(path) for path in SOURCES if path.is_relative_to("bot/compose")))
    assert wired == duties("webhooks")


@pytest.mark.parametrize("folder", sorted(UNLISTED))
def test_what_duties_share_is_there(folder: str) -> None:
    assert all((ROOT / "handlers" / folder / f"{name}.py").exists() for name in UNLISTED[folder])


@pytest.mark.parametrize(("folder", "kind"), [("commands", "Command"), ("flows", "Flow"), ("cards", "Presenter")])
def test_every_function_that_makes_one_is_called(folder: str, kind: str) -> None:
    """One file may make several commands; an import alone lists nothing."""
    index = Path("handlers/__init__.py")
    aliases = {
        f"{folder}.{name.name}": name.asname or name.name
        for node in ast.walk(tree(index))
        if isinstance(node, ast.ImportFrom) and node.module == f"handlers.{folder}"
        for name in node.names
    }
    made = {
        f"{aliases[f'{folder}.{module}']}.{node.name}"
        for module in duties(folder)
        for node in tree(Path(f"handlers/{folder}/{module}.py")).body
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == kind
    }
    called = {ast.unparse(node.func) for node in ast.walk(tree(index)) if isinstance(node, ast.Call)}
    assert made
    assert made - called == set()
