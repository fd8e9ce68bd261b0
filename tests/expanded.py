"""A version to come: this one's schema, brought further by a migration that this build has never seen."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bot.adapters import sql
from bot.adapters.sql.migrate import migrate
from bot.adapters.sql.opening import database_at
from bot.adapters.sql.schema import REVISION, metadata

ROOT = Path(__file__).parents[1]
NEXT, AFTER = (f"{int(REVISION) + step:04d}" for step in (1, 2))
HEAD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, compatible_from = "{revision}", "{down}", "{since}"


def upgrade() -> None:
"""
WIDER = """
    op.add_column("{table}", sa.Column("later_maybe", sa.Text))
    op.add_column("{table}", sa.Column("later", sa.Integer, nullable=False, server_default=sa.text("7")))
"""
MORE = """
    op.create_table("plots", sa.Column("id", sa.Text, primary_key=True), sa.Column("doc", sa.Text, nullable=False))
    op.create_index("events_later", "events", ["source", "received_at"])
    op.create_index("groups_later", "groups", ["later", "id"])
"""
EXPANDS = HEAD.format(revision=NEXT, down=REVISION, since=REVISION) + "".join(
    WIDER.format(table=table.name) for table in metadata.sorted_tables
) + MORE  # fmt: skip
"""What a careful version does: columns that may be left out in every table, a table, indexes."""
CONTRACTS = HEAD.format(revision=AFTER, down=NEXT, since=NEXT) + '    op.drop_column("groups", "words")\n'
"""What builds of the version before that one can live with, and this build can't."""


def scripts(folder: Path, *further: str) -> str:
    """This build's migrations and *further* ones: where alembic finds them."""
    place = folder / "migrations"
    shutil.copytree(Path(sql.__file__).parent / "migrations", place, ignore=shutil.ignore_patterns("__pycache__"))
    for number, text in enumerate(further, 1):
        (place / "versions" / f"{int(REVISION) + number:04d}_to_come.py").write_text(text)
    return str(place)


def brought_further(url: str, *further: str) -> str:
    """*url*, whose store a later version's `pult db upgrade` has been at."""
    with tempfile.TemporaryDirectory(prefix="pult-to-come-") as folder:
        migrate(database_at(url), scripts(Path(folder), *further))
    return url


def version_to_come(folder: Path, *further: str) -> Path:
    """The source of a whole pult in *folder* that is this one but for its schema: with *further* migrations."""
    for name in ("bot", "handlers", "config"):
        shutil.copytree(ROOT / name, folder / name)
    place = folder / "bot" / "adapters" / "sql"
    shutil.rmtree(place / "migrations")
    scripts(place, *further)
    written = place / "schema.py"
    before, after = f'REVISION = "{REVISION}"', f'REVISION = "{int(REVISION) + len(further):04d}"'
    assert before in written.read_text()
    written.write_text(written.read_text().replace(before, after))
    return folder
