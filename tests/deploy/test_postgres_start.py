"""deploy/postgres/base/start.sh on real servers: what a server is started as, by what the other one is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests import postgres_hand
from tests.deploy.built import built, kinds, workload
from tests.postgres import binaries, owner
from tests.postgres_pair import Node, Pair, bootstrapping, born, pair, started_pair, unborn_pair, until

__all__ = ["pair"]
pytestmark = pytest.mark.postgres
FOLDER = Path(__file__).parents[2] / "deploy" / "postgres" / "base"


def write(node: Node, name: str, count: int = 50) -> None:
    node.sql(f"INSERT INTO rows (writer, n) SELECT '{name}', generate_series(1, {count})", "app", "app")


def count(node: Node, name: str) -> int:
    return int(node.sql(f"SELECT count(*) FROM rows WHERE writer = '{name}'", database="app")[0][0])


def promoted(pair: Pair) -> None:
    """The standby is promoted while the primary is dead, and both have written what the other has not."""
    pair.sfo3.sql("SELECT pg_wal_replay_pause()")
    pair.sfo3.kill()
    write(pair.nyc2, "only here")
    pair.nyc2.kill()
    pair.sfo3.start()
    until("the standby does not start", pair.sfo3.is_standby)
    pair.sfo3.sql("SELECT pg_promote()")
    write(pair.sfo3, "only there")


def follows(standby: Node, primary: Node) -> None:
    until(f"{standby.name} does not follow\n{standby.log[-3000:]}", standby.is_standby)
    write(primary, "after", 5)
    until("nothing is replayed", lambda: count(standby, "after") == 5)


def waits(node: Node, word: str) -> None:
    """It says why, and does not answer."""
    until(f"it does not say {word!r}\n{node.log[-2000:]}", lambda: word in node.log)
    assert node.is_standby() is None


def test_a_department_begins_with_nothing() -> None:
    with unborn_pair() as pair:
        pair.sfo3.start()
        waits(pair.sfo3, "nothing is here, and the other server is silent: waiting")
        bootstrapping(pair.nyc2, "nyc2")
        pair.sfo3.kill()
        born(pair)
        follows(pair.sfo3, pair.nyc2)


def test_an_old_primary_that_went_its_own_way_is_rewound(pair: Pair) -> None:
    promoted(pair)
    pair.nyc2.start()
    follows(pair.nyc2, pair.sfo3)
    assert "rewinding" in pair.nyc2.log
    assert "copying" not in pair.nyc2.log
    assert (count(pair.nyc2, "only here"), count(pair.nyc2, "only there")) == (0, 50)


@pytest.mark.parametrize("why", ["no checksums", "a rewind broke off"])
def test_what_can_not_be_rewound_is_copied(why: str) -> None:
    with started_pair(wal_log_hints="off") as pair:
        if why == "no checksums":
            pair.nyc2.stop()
            pair.sfo3.stop()
            for node in pair.nodes:
                _as_owner("pg_checksums", "--disable", "-D", str(node.data))
                node.start()
            until("the standby does not stream", pair.streams)
        promoted(pair)
        if why == "a rewind broke off":
            (pair.nyc2.folder / "data.rewinding").touch()
        pair.nyc2.start()
        follows(pair.nyc2, pair.sfo3)
        assert "copying the other server" in pair.nyc2.log
        assert (count(pair.nyc2, "only here"), count(pair.nyc2, "only there")) == (0, 50)
        assert not list(pair.nyc2.folder.glob("data.*"))


def test_a_script_that_is_killed_while_it_copies_begins_again(pair: Pair) -> None:
    promoted(pair)
    (pair.nyc2.folder / "data.rewinding").touch()
    pair.nyc2.start()
    until("it does not begin to copy", (pair.nyc2.folder / "data.clone").exists)
    pair.nyc2.kill()
    pair.nyc2.start()
    follows(pair.nyc2, pair.sfo3)
    assert not list(pair.nyc2.folder.glob("data.*"))


def test_a_primary_starts_beside_its_standby_and_waits_for_a_silent_one(pair: Pair) -> None:
    pair.nyc2.kill()
    pair.nyc2.start()
    until("it does not start", lambda: pair.nyc2.is_standby() is False)
    pair.sfo3.stop()
    pair.nyc2.stop()
    pair.nyc2.start()
    waits(pair.nyc2, "the other server does not answer: it may be one now")
    (pair.nyc2.folder / "data.alone").touch()
    until("it does not start alone", lambda: pair.nyc2.is_standby() is False)
    assert not (pair.nyc2.folder / "data.alone").exists()
    pair.sfo3.start()
    follows(pair.sfo3, pair.nyc2)


def test_never_as_a_primary_beside_another_one(pair: Pair) -> None:
    """The new primary comes back to find that somebody has started the old one alone."""
    promoted(pair)
    pair.sfo3.kill()
    (pair.nyc2.folder / "data.alone").touch()
    pair.nyc2.start()
    until("it does not start alone", lambda: pair.nyc2.is_standby() is False)
    pair.sfo3.start()
    waits(pair.sfo3, "the other server is a primary too, on timeline 1, this one on 2: a person has to look")
    assert count(pair.nyc2, "only here") == 50


def test_an_old_primary_does_not_start_beside_a_standby_that_is_ahead(pair: Pair) -> None:
    promoted(pair)
    pair.sfo3.sql("CHECKPOINT")
    pair.sfo3.stop()
    (pair.sfo3.data / "standby.signal").touch()
    pair.sfo3.start()
    until("it is no standby", pair.sfo3.is_standby)
    pair.nyc2.start()
    waits(pair.nyc2, "waiting until it is a primary")


def test_other_data_is_never_touched(pair: Pair) -> None:
    with unborn_pair() as other:
        bootstrapping(other.nyc2, "nyc2")
        other.nyc2.start()
        until("it does not start", lambda: other.nyc2.is_standby() is False)
        other.nyc2.stop()
        pair.nyc2.kill()
        pair.sfo3.sql("SELECT pg_promote()")
        shutil.rmtree(pair.nyc2.data)
        shutil.copytree(other.nyc2.data, pair.nyc2.data)
    if account := owner():
        subprocess.run(["chown", "-R", f"{account.pw_uid}:{account.pw_gid}", pair.nyc2.data], check=True)
    pair.nyc2.start()
    waits(pair.nyc2, "the other server holds other data")


def test_a_server_that_runs_is_not_started_twice(pair: Pair) -> None:
    node = pair.nyc2
    _ = postgres_hand.running(node.folder)
    (node.folder / postgres_hand.PID).rename(node.folder / "first")
    described = yaml.safe_load((node.folder / "node.json").read_text())
    done = subprocess.run(
        ["/bin/sh", node.folder / "start.sh"], env=described["environ"], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, "a server runs on" in done.stderr) == (1, True)
    assert node.is_standby() is False


def test_the_example_names_every_file_and_each_overlay_the_other_region() -> None:
    base = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    (files,) = (each["files"] for each in base["configMapGenerator"] if "files" in each)
    assert set(files) | set(base["resources"]) | {"kustomization.yaml"} == {
        path.name for path in FOLDER.iterdir() if path.is_file()
    }
    for region, other in (("nyc2", "sfo3"), ("sfo3", "nyc2")):
        objects = built(FOLDER.parent / region)
        (told,) = (each["data"] for each in kinds(objects, "ConfigMap") if "PG_NAME" in each["data"])
        assert told["PG_NAME"] == region
        assert f"host=pg.{other}." in told["PG_PEER"]
        (container,) = workload(objects)["spec"]["template"]["spec"]["containers"]
        (given,) = (each["configMapRef"]["name"] for each in container["envFrom"])
        assert given in {each["metadata"]["name"] for each in kinds(objects, "ConfigMap")}


def test_the_manifest_gives_the_script_what_it_asks_for() -> None:
    (container,) = yaml.safe_load((FOLDER / "statefulset.yaml").read_text())["spec"]["template"]["spec"]["containers"]
    given = {each["name"] for each in container["env"]} | {"PG_NAME", "PG_PEER"}
    asked = set(re.findall(r"^# (PG[A-Z_]+) ", (FOLDER / "start.sh").read_text(), re.MULTILINE))
    assert given <= asked
    assert asked - given == {"PG_DATABASE", "PG_BOOTSTRAP"}


def _as_owner(program: str, *arguments: str) -> None:
    account = owner()
    identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    subprocess.run([binaries() / program, *arguments], check=True, capture_output=True, cwd="/", **identity)
