"""The department's repositories: deploy files, a conventional-commit history, releases, a waiting run."""

from datetime import datetime, timedelta
from typing import Final

from bot.simulator.github.state import Forge, Release, Repository, Run
from bot.simulator.kubernetes.images import PRODUCTION, REGISTRY, STAGING, digest

OWNER: Final = "dept"
WAITING_RUN: Final = 9001
"""Run of dept/api whose deployment to production waits for a review."""

_STORY: Final[dict[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "api": (
        ("1.7.2", ("feat: item search by tag", "fix: close idle upstream connections", "chore: bump base image")),
        (
            "1.8.0",
            (
                "feat(items): cursor pagination for /v1/items",
                "feat(auth): short-lived service tokens",
                "fix(db): retry serialization failures once",
                "perf: cache the price table for 30 s",
                "docs: runbook for slow queries",
            ),
        ),
        ("1.8.1", ("fix(items): stable order in pagination", "refactor!: drop the v0 price endpoint")),
    ),
    "bots": (("3.2.0", ("feat: daily digest",)), ("3.2.1", ("fix: back off on 429",))),
    "worker": (("2.4.0", ("feat: priority queue",)), ("2.4.1", ("fix: ack after commit",))),
    "web": (("5.0.3", ("fix: focus ring",)), ("5.1.0", ("feat: dark theme",))),
}
"""Service → (version, the commits it brought), oldest first."""

_HEADINGS: Final = (("feat", "Features"), ("fix", "Bug fixes"), ("perf", "Performance"))
_AUTHORS: Final = ("anna", "boris", "chen")


def seed(forge: Forge, now: datetime) -> None:
    for service, releases in _STORY.items():
        forge.add(_repository(forge, service, releases, now))


def kustomization(service: str, environment: str, version: str) -> str:
    """The deploy file: an overlay that pins the image by digest."""
    return (
        "apiVersion: kustomize.config.k8s.io/v1beta1\n"
        "kind: Kustomization\n"
        f"namespace: {environment}\n"
        "resources:\n"
        "  - ../base\n"
        "images:\n"
        f"  - name: {REGISTRY}/{service}\n"
        f"    digest: {digest(service, version)}\n"
    )


def changelog(subjects: tuple[str, ...]) -> str:
    """Release notes from conventional-commit subjects, grouped; a ``!`` marks a breaking change."""
    parts = []
    if breaking := [subject for subject in subjects if subject.partition(":")[0].endswith("!")]:
        parts.append("### Breaking changes\n" + _lines(breaking))
    for word, heading in _HEADINGS:
        if found := [s for s in subjects if s.startswith(word) and s not in breaking]:
            parts.append(f"### {heading}\n" + _lines(found))
    return "\n".join(parts)


def _lines(subjects: list[str]) -> str:
    return "".join(f"- {subject.partition(': ')[2]}\n" for subject in subjects)


def _repository(
    forge: Forge, service: str, releases: tuple[tuple[str, tuple[str, ...]], ...], now: datetime
) -> Repository:
    repo = Repository(OWNER, service)
    moment = now - timedelta(days=14)
    files = _first_files(service)
    repo.commit("main", "chore: repository skeleton", files, moment, "chen")
    for version, subjects in releases:
        for number, subject in enumerate(subjects):
            moment += timedelta(hours=7)
            files = files | {f"src/change_{version}_{number}.py": f"# {subject}\n".encode()}
            repo.commit("main", subject, files, moment, _AUTHORS[number % len(_AUTHORS)])
        repo.history.tags[f"v{version}"] = repo.history.branches["main"]
        notes = changelog(subjects)
        repo.releases.append(Release(forge.next_id(), f"v{version}", f"v{version}", notes, moment, author="chen"))
    if service == "api":
        sha = repo.history.branches["main"]
        waiting = Run(WAITING_RUN, "deploy.yml", "main", sha, "release", moment, ["production"], status="waiting")
        repo.runs.append(waiting)
    return repo


def _first_files(service: str) -> dict[str, bytes]:
    texts = {
        "README.md": f"# {service}\n",
        "deploy/base/kustomization.yaml": "resources:\n  - deployment.yaml\n",
        "deploy/production/kustomization.yaml": kustomization(service, "production", PRODUCTION[service]),
        "deploy/staging/kustomization.yaml": kustomization(service, "staging", STAGING[service]),
    }
    return {path: text.encode() for path, text in texts.items()}
