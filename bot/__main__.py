"""The command line. Errors are one sentence on stderr (``--debug`` for the traceback); misuse exits 2."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click

from bot import VERSION
from bot.cli.lengths import length
from bot.domain.audit import BrokenChainError
from bot.domain.errors import PultError, innermost

P = ParamSpec("P")
CONFIG = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), default=Path("pult.toml"), show_default=True
)
LOCALE = click.option(
    "--locale",
    type=click.Choice(["en", "ru"]),
    default="en",
    show_default=True,
    help="The language of what people read.",
)
DEBUG = click.option("--debug", is_flag=True, help="Show the traceback of an error, and debug logs.")


SCRAPE = click.option(
    "--scrape-interval", type=length, metavar="DURATION", default="30s", show_default=True,
    help="How often Prometheus scrapes, at the slowest.",
)  # fmt: skip


def told(work: Callable[P, None]) -> Callable[P, None]:
    """Turns what pult raises on purpose into one sentence on stderr and exit status 1."""

    @wraps(work)
    def wrapper(*args: P.args, **options: P.kwargs) -> None:
        try:
            work(*args, **options)
        except (PultError, BrokenChainError, OSError) as error:
            if options.get("debug"):
                raise
            click.echo(f"pult: {error}", err=True)
            sys.exit(1)
        except Exception as error:
            if options.get("debug"):
                raise
            click.echo(f"pult: an error of its own, {innermost(error)!r}. --debug shows where.", err=True)
            sys.exit(1)

    return wrapper


def configured(work: Callable[P, None]) -> Callable[P, None]:
    """A command that reads the configuration and has no options after it."""
    return CONFIG(DEBUG(told(work)))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="pult")
def main() -> None:
    """pult: alerts, SLOs, approvals and operations of an infrastructure department, in its chats."""


def _settings(config: Path, *, sealed: bool = False) -> Any:  # noqa: ANN401 - imported lazily
    from config.loader import load  # noqa: PLC0415 - keeps --help fast

    return load(config, sealed=sealed)


def _store(config: Path) -> str:
    url: str = _settings(config).store.url.get_secret_value()
    return url


@main.command()
@configured
def run(config: Path, debug: bool) -> None:
    """The bot."""
    from bot.cli import logs  # noqa: PLC0415 - keeps --help fast
    from bot.cli import run as program  # noqa: PLC0415

    logs.configure(debug=debug)
    program.run(_settings(config))


@main.command()
@CONFIG
@click.option("--send-test", is_flag=True, help="Post one sample message to every destination.")
@DEBUG
@told
def check(config: Path, send_test: bool, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """The doctor: every dependency and permission, one line each. Changes nothing."""
    from bot.cli import check as program  # noqa: PLC0415 - keeps --help fast

    sys.exit(program.check(_settings(config), send_test=send_test))


@main.command()
@click.option("--port", default=9000, show_default=True)
@click.option("--speed", default=1.0, show_default=True, help="How much faster rollouts and the like go.")
@DEBUG
@told
def simulate(port: int, speed: float, debug: bool) -> None:
    """The simulated department alone; prints a ready pult.toml that points at it."""
    from bot.cli import logs  # noqa: PLC0415 - keeps --help fast
    from bot.cli import simulate as program  # noqa: PLC0415

    logs.configure(debug=debug)
    program.simulate(port, speed)


@main.command()
@click.option("--headless", is_flag=True, help="Play the story fast, as text; exit 0 only if every promise held.")
@click.option("--speed", default=None, type=float, help="How much faster the simulated department goes.")
@click.option("--port", default=8080, show_default=True)
@DEBUG
@told
def demo(headless: bool, speed: float | None, port: int, debug: bool) -> None:
    """A simulated department and pult against it. Nothing to configure."""
    from bot.cli import logs  # noqa: PLC0415 - keeps --help fast
    from bot.cli.demo import program  # noqa: PLC0415

    logs.configure(debug=debug, quiet=not debug)
    sys.exit(program.demo(headless=headless, speed=speed, port=port))


@main.command()
@click.argument("text")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="Where pult listens.")
@click.option("--token", envvar="PULT_TOKEN", default="", help="Your personal token; PULT_TOKEN is read too.")
@click.option("--locale", default="", help="en or ru; yours by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@DEBUG
@told
def ask(text: str, url: str, token: str, locale: str, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """One command from a terminal: pult ask "slo api"."""
    from bot.cli import ask as program  # noqa: PLC0415 - keeps --help fast

    answer = program.ask(text, url, token, locale)
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else answer["text"])
    sys.exit(0 if answer["ok"] else 1)


@main.group()
def audit() -> None:
    """The audit trail."""


@audit.command()
@CONFIG
@click.option("--head", default="", help="A head hash noted down earlier: proves that nothing was cut off the end.")
@DEBUG
@told
def verify(config: Path, head: str, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """Check the chain; prints its length and head hash."""
    from bot.cli import audit as program  # noqa: PLC0415 - keeps --help fast

    count, found = program.head(_store(config), head)
    click.echo(f"{count} entries, unbroken, head {found}")


@audit.command()
@CONFIG
@click.option("--release", metavar="SERVICE/VERSION", default="", help="Only the trail of one release, as one JSON.")
@DEBUG
@told
def export(config: Path, release: str, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """Write the chain to standard output as JSON Lines, or the trail of one release."""
    from bot.cli import audit as program  # noqa: PLC0415 - keeps --help fast

    url = _store(config)
    for line in program.lines(url) if not release else [program.trail(url, release)]:
        click.echo(line)


@main.group()
def slo() -> None:
    """Service level objectives."""


@slo.command()
@CONFIG
@SCRAPE
@LOCALE
@DEBUG
@told
def rules(config: Path, scrape_interval: timedelta, locale: str, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """Write recording rules and burn-rate alerts for Prometheus to standard output.

    Needs none of the configuration's secrets, so that a repository's checks can run it.
    """
    from bot.cli import slo as program  # noqa: PLC0415 - keeps --help fast

    click.echo(program.rules(_settings(config, sealed=True), scrape_interval, locale), nl=False)


@slo.command()
@CONFIG
@SCRAPE
@LOCALE
@DEBUG
@told
def policy(config: Path, scrape_interval: timedelta, locale: str, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """Write the error-budget policy as a Markdown page to standard output.

    Budgets, alerts and what follows from a budget, as pult obeys them. Needs none of the configuration's secrets.
    """
    from bot.cli import policy_page as program  # noqa: PLC0415 - keeps --help fast

    click.echo(program.page(_settings(config, sealed=True), scrape_interval, locale), nl=False)


@main.group()
def runbook() -> None:
    """What people do where pult is not there."""


@runbook.command("failover")
@CONFIG
@LOCALE
@DEBUG
@told
def by_hand(config: Path, locale: str, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """Write the failover and the way back as a Markdown page to standard output: each step with what to type.

    From the plan that pult itself follows. Needs none of the configuration's secrets, and holds none.
    """
    from bot.cli import runbook as program  # noqa: PLC0415 - keeps --help fast

    click.echo(program.page(_settings(config, sealed=True), locale), nl=False)


@main.command()
@click.argument("operation")
@CONFIG
@LOCALE
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write the picture here."
)
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@DEBUG
@told
def report(operation: str, config: Path, locale: str, picture: Path | None, theme: str, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """Write what a failover or a drill came to as a Markdown page to standard output: pult report op-41c9."""
    from bot.cli import report as program  # noqa: PLC0415 - keeps --help fast

    click.echo(program.page(_settings(config), operation, locale, picture, theme), nl=False)


@main.group()
def db() -> None:
    """The store."""


@db.command()
@configured
def upgrade(config: Path, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """Bring the store's schema up to date (also done at start on SQLite)."""
    from bot.cli import schema as program  # noqa: PLC0415 - keeps --help fast

    click.echo(program.upgraded(_store(config)))


@db.command()
@configured
def status(config: Path, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """Say which schema the store has, and which builds it serves. Exit 1: not this one. Changes nothing."""
    from bot.cli import schema as program  # noqa: PLC0415 - keeps --help fast

    click.echo(program.told(_store(config)))


@db.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@configured
def backup(folder: Path, config: Path, debug: bool) -> None:  # noqa: ARG001 - `told` reads debug
    """Copy the SQLite store into FOLDER, while pult runs. PostgreSQL has pg_dump."""
    from bot.cli import backup as program  # noqa: PLC0415 - keeps --help fast

    for copy, size in program.copies(_store(config), folder):
        click.echo(f"{copy}: {size:,} bytes")


if __name__ == "__main__":
    main()
