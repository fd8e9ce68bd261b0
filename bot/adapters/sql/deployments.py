"""Deployments: which version went where, and what became of it."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import Select, bindparam, select

from bot.adapters.sql.schema import deployments
from bot.adapters.sql.statements import LIMIT, Session, Speech
from bot.adapters.sql.values import clean, document, index_key, micros
from bot.domain.releases import Deployment


class DeploymentStatements:
    """Statements over deployments."""

    def __init__(self, speech: Speech) -> None:
        d = deployments.c
        upsert = speech.insert(deployments)
        kept = {name: upsert.excluded[name] for name in ("version", "at", "doc")}
        self.save = speech.prepare(upsert.on_conflict_do_update(index_elements=[d.id], set_=kept))
        deployment: Select[tuple[str]] = select(d.doc)
        service = d.service == bindparam("service")
        latest = d.at.desc(), d.id.desc()
        self.of = speech.prepare(deployment.where(service).order_by(*latest).limit(LIMIT))
        here = d.environment == bindparam("environment")
        self.inside = speech.prepare(deployment.where(service, here).order_by(*latest).limit(LIMIT))
        version = d.version == bindparam("version")
        self.of_version = speech.prepare(deployment.where(service, version).order_by(d.began_at, d.id))


class Deployments(Session):
    """The ``Deployments`` port. A row keeps when it was first written, which its document does not tell."""

    _deployments: DeploymentStatements

    def save_deployment(self, deployment: Deployment) -> None:
        at = micros(deployment.at)
        self._do(
            self._deployments.save,
            id=_row(deployment),
            service=clean(deployment.service),
            environment=index_key(deployment.environment),
            version=index_key(deployment.version),
            began_at=at,
            at=at,
            doc=document(deployment),
        )

    def deployments(self, service: str, environment: str = "", limit: int = 20) -> tuple[Deployment, ...]:
        """The latest change first; of one environment or of all."""
        if not environment:
            return self._docs(self._deployments.of, service=clean(service), limit=limit)
        here = index_key(environment)
        return self._docs(self._deployments.inside, service=clean(service), environment=here, limit=limit)

    def deployments_of(self, service: str, version: str) -> tuple[Deployment, ...]:
        """In the order in which they were begun."""
        return self._docs(self._deployments.of_version, service=clean(service), version=index_key(version))


def _row(deployment: Deployment) -> str:
    """One for each operation and environment; for what was only heard of, for each version and environment."""
    brought = f"op {deployment.operation}" if deployment.operation else f"version {deployment.version}"
    parts = (deployment.service, deployment.environment, brought)
    return sha256("\n".join(f"{len(part)} {part}" for part in map(clean, parts)).encode()).hexdigest()
