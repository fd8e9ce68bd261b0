"""What pult must be allowed on a server so that a failover does not fail there. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.adapters.postgres_ha.link import Talk, first
from bot.domain.errors import UserError
from bot.domain.phrases import Code

RIGHTS: Final = """
SELECT current_user, quote_ident(current_user), quote_ident(current_database()), pg_is_in_recovery(),
       has_function_privilege('pg_promote(boolean, integer)', 'execute'),
       pg_has_role('pg_monitor', 'usage'),
       pg_has_role('pg_signal_backend', 'usage') OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
       CASE WHEN to_regclass('pult.heartbeat') IS NULL THEN has_database_privilege(current_database(), 'create')
            ELSE has_table_privilege('pult.heartbeat', 'insert, update') END,
       current_setting('wal_log_hints') = 'on' OR current_setting('data_checksums') = 'on',
       current_setting('full_page_writes') = 'on'
"""
CLOSABLE: Final = """
SELECT quote_ident(d.datname), quote_ident(o.rolname), pg_has_role(d.datdba, 'usage')
FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba
WHERE NOT d.datistemplate AND d.datname <> current_database() ORDER BY d.datname
"""


async def examine(talk: Talk, region: str) -> str:
    """One sentence. UserError: all that is missing, with the SQL that grants it."""
    name, user, database, standby, *able = first(await talk.rows(RIGHTS))
    others = await talk.rows(CLOSABLE)
    lacking = [*_rights(user, database, able), *_doors(user, others)]
    if lacking:
        raise UserError(
            "{name} lacks something in {region}: {what}", name=Code(name), region=region, what="; ".join(lacking)
        )
    role = "standby" if standby else "primary"
    return f"a {role}; it can be promoted, fenced ({len(others)} databases) and rewound, and its WAL positions are told"


def _rights(user: str, database: str, able: list[bool]) -> Iterator[str]:
    wanted = (
        ("it can't promote", f"GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO {user}"),
        ("it can't see replication and sessions", f"GRANT pg_monitor TO {user}"),
        ("it can't end sessions", f"GRANT pg_signal_backend TO {user}"),
        ("it can't keep a heartbeat", f"GRANT CREATE ON DATABASE {database} TO {user}"),
        ("the server can't be rewound", "set wal_log_hints = on, and restart"),
        ("the server can't be rewound", "set full_page_writes = on"),
    )
    return (f"{what} ({mend})" for (what, mend), may in zip(wanted, able, strict=True) if not may)


def _doors(user: str, others: list[tuple[str, str, bool]]) -> Iterator[str]:
    if not others:
        yield "no other database than that of the dsn, which a fence leaves open (give pult one of its own)"
    for name, owner, may in others:
        if not may:
            mend = f"GRANT {owner} TO {user}" if owner != "postgres" else f"ALTER DATABASE {name} OWNER TO {user}"
            yield f"it can't close {name} ({mend})"
