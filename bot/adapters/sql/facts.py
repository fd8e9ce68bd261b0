"""Events, alert groups and releases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, bindparam, select

from bot.adapters.sql.schema import OPEN, events, groups, releases
from bot.adapters.sql.statements import LIMIT, Session, Speech
from bot.adapters.sql.values import clean, document, index_key, maybe_micros, micros, search_words
from bot.domain.alerts import Group
from bot.domain.events import Event
from bot.domain.releases import Release


class FactStatements:
    """Statements over events, groups and releases."""

    def __init__(self, speech: Speech) -> None:
        group: Select[tuple[str]] = select(groups.c.doc)
        latest = groups.c.opened_at.desc(), groups.c.id.desc()
        self.put_event = speech.prepare(speech.insert(events).on_conflict_do_nothing())
        upsert = speech.insert(groups)
        changing = ("key", "closed_at", "doc", "name", "service", "acked_at", "pages", "words")
        kept = {name: upsert.excluded[name] for name in changing}
        self.save_group = speech.prepare(upsert.on_conflict_do_update(index_elements=[groups.c.id], set_=kept))
        self.group = speech.prepare(group.where(groups.c.id == bindparam("id")))
        by_key = group.where(groups.c.key == bindparam("key"))
        self.latest_group = speech.prepare(by_key.order_by(groups.c.episode.desc()).limit(1))
        self.open_groups = speech.prepare(group.where(OPEN).order_by(groups.c.opened_at, groups.c.id))
        self.recent_groups = speech.prepare(group.order_by(*latest).limit(LIMIT))
        self._releases(speech)

    def _releases(self, speech: Speech) -> None:
        service = releases.c.service == bindparam("service")
        release: Select[tuple[str]] = select(releases.c.doc)
        latest = releases.c.at.desc(), releases.c.service.desc(), releases.c.version.desc()
        upsert = speech.insert(releases)
        kept = {"at": upsert.excluded.at, "doc": upsert.excluded.doc}
        key = [releases.c.service, releases.c.version]
        self.save_release = speech.prepare(upsert.on_conflict_do_update(index_elements=key, set_=kept))
        self.release = speech.prepare(release.where(service, releases.c.version == bindparam("version")))
        self.releases = speech.prepare(release.order_by(*latest).limit(LIMIT))
        self.releases_of = speech.prepare(release.where(service).order_by(*latest).limit(LIMIT))


class Facts(Session):
    """The ``Facts`` port."""

    _facts: FactStatements

    def put_event(self, event: Event) -> bool:
        count = self._do(
            self._facts.put_event,
            id=event.id,
            source=event.source,
            key=index_key(event.key),
            received_at=micros(event.received_at),
            body=event.body,
        )
        return count == 1

    def latest_group(self, key: str) -> Group | None:
        group: Group | None = self._doc(self._facts.latest_group, key=index_key(key))
        return group

    def group(self, ident: str) -> Group | None:
        group: Group | None = self._doc(self._facts.group, id=clean(ident))
        return group

    def save_group(self, group: Group) -> None:
        self._do(
            self._facts.save_group,
            id=group.id,
            key=index_key(group.key),
            episode=group.episode,
            opened_at=micros(group.opened_at),
            closed_at=maybe_micros(group.closed_at and _over(group, group.closed_at)),
            doc=document(group),
            name=clean(group.name),
            service=clean(group.service),
            acked_at=maybe_micros(group.acked_at),
            pages=int(group.pages),
            words=search_words(group),
        )

    def open_groups(self) -> tuple[Group, ...]:
        """The longest open first."""
        return self._docs(self._facts.open_groups)

    def recent_groups(self, limit: int) -> tuple[Group, ...]:
        """The last opened first."""
        return self._docs(self._facts.recent_groups, limit=limit)

    def release(self, service: str, version: str) -> Release | None:
        release: Release | None = self._doc(self._facts.release, service=clean(service), version=clean(version))
        return release

    def save_release(self, release: Release) -> None:
        self._do(
            self._facts.save_release,
            service=clean(release.service),
            version=clean(release.version),
            at=micros(release.at),
            doc=document(release),
        )

    def releases(self, service: str = "", limit: int = 20) -> tuple[Release, ...]:
        """The last one told of first; of every service when none is named."""
        statement = self._facts.releases_of if service else self._facts.releases
        return self._docs(statement, service=clean(service), limit=limit)


def _over(group: Group, closed: datetime) -> datetime:
    """When it ended by its sender's word, as far from its opening as it lasted.

    Never near an opening that lies long before what is left in the group: it would be forgotten too early.
    """
    return min(max(group.since, group.opened_at), closed) + group.lasted(closed)
