"""The image: linted, and its own steps done by hand where no registry is: built, then run as it runs in Kubernetes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.deploy.built import ROOT, tool
from tests.real import free_port

DOCKERFILE = ROOT / "Dockerfile"
USER = 10001
CONFIG = """
[server]
host = "127.0.0.1"
port = {port}
[store]
url = "sqlite:///{data}/pult.db"
[console]
enabled = true
[[people]]
name = "anna"
token = "anna-token-anna-token"
[[routes]]
to = ["console:ops"]
"""


LOADS = """
import alembic, babel, dbos, matplotlib.figure, numpy, pydo, slack_bolt, telegram
import kubernetes.aio.client, PIL.Image
assert [babel.Locale(each).display_name for each in ("en", "ru")] == ["English", "русский"]
"""


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile and its words, lines joined, comments left out."""
    lines = (line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines()) if name]


def stages() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    found = instructions()
    last = max(at for at, (name, _) in enumerate(found) if name == "FROM")
    return found[:last], found[last:]


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([tool("hadolint"), str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_runs_as_nobody_and_says_what_it_is() -> None:
    _, final = stages()
    words = dict(final)
    assert words["USER"] == f"{USER}:{USER}"
    assert json.loads(words["ENTRYPOINT"]) == ["pult"], "exec form: no shell"
    assert words["HEALTHCHECK"].partition("CMD ")[2].startswith("["), "exec form: no shell"
    labels = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", words["LABEL"]))
    assert {"title", "description", "source", "licenses"} <= labels


def test_both_stages_start_from_the_same_firm_base() -> None:
    bases = {rest.split()[0] for name, rest in instructions() if name == "FROM"}
    (base,) = bases
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)
    assert "docker:pinDigests" in json.loads((ROOT / "renovate.json").read_text())["extends"]


def test_everything_is_checked_by_hash() -> None:
    build, _ = stages()
    for _, words in build:
        for command in words.split("&&"):
            if " install " in command:
                assert "--require-hashes" in command or "--no-deps --no-index" in command, command
    for name in ("build", "run"):
        pinned = re.findall(
            r"^[\w.-]+==\S+ .*\\\n\s+--hash", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE
        )
        assert pinned


def test_the_context_holds_what_is_copied_and_nothing_else() -> None:
    build, _ = stages()
    copied = {each.rstrip("/") for name, rest in build if name == "COPY" for each in rest.split()[:-1]}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == kept


@dataclass
class Tree:
    """What the first stage leaves in /opt, in a folder of its own."""

    folder: Path

    @property
    def pult(self) -> Path:
        return self.folder / "opt/pult"

    def build(self) -> None:
        environment = dict(os.environ)
        source = self.folder / "src"
        source.mkdir()
        for name, rest in stages()[0]:
            if name == "ENV":
                environment |= dict(each.split("=", 1) for each in shlex.split(rest) if not each.startswith("UV_LINK"))
            elif name == "COPY":
                self._copy(source, *rest.split())
            elif name == "RUN":
                self._run(rest, source, environment)

    def _copy(self, source: Path, *words: str) -> None:
        for each in words[:-1]:
            target = source / words[-1]
            if words[-1].endswith("/"):
                target /= Path(each).name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / each).is_dir():
                shutil.copytree(ROOT / each, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / each, target)

    def _run(self, command: str, source: Path, environment: dict[str, str]) -> None:
        here = re.sub(r"(?<![\w/])/opt/", f"{self.folder}/opt/", command)
        here = re.sub(r"(?<![\w/])python -m venv", f"{sys.executable} -m venv", here)
        done = subprocess.run(
            ["sh", "-ec", here], cwd=source, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{here}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def tree() -> Iterator[Tree]:
    """Another user must be able to get there, which pytest's own folders do not allow."""
    if os.geteuid() != 0:
        pytest.skip("only root can run something as the image's user")
    with TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        found = Tree(Path(folder))
        found.build()
        yield found


@pytest.mark.timeout(900)  # installs everything anew
def test_its_own_steps_bring_what_runs(tree: Tree, tmp_path: Path) -> None:
    """One test: what is looked at took a minute to build."""
    _nothing_too_much(tree)
    _every_library_loads(tree, tmp_path)
    _runs_on_a_read_only_root(tree)


def _runs_on_a_read_only_root(tree: Tree) -> None:
    """As uid 10001, everything read-only but /tmp and the data volume, without a shell's environment."""
    data, config, port = tree.folder / "data", tree.folder / "pult.toml", free_port()
    data.mkdir()
    os.chown(data, USER, USER)
    config.write_text(CONFIG.format(port=port, data=data))
    closed = f'mount -t tmpfs tmpfs /tmp && mount --bind {data} {data} && mount -o remount,bind,ro / && exec "$@"'
    nobody = [
        "setpriv",
        f"--reuid={USER}",
        f"--regid={USER}",
        "--clear-groups",
        "--bounding-set=-all",
        "--no-new-privs",
    ]
    run = [str(tree.pult / "bin/pult"), "run", "--config", str(config)]
    # A container without CAP_SYS_ADMIN closes nothing: there the tree is not the user's, and that has to do.
    may = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0
    read_only = ["unshare", "--mount", "--", "sh", "-ec", closed, "sh"] if may else []
    words = [*read_only, *nobody, "--", *run]
    plain = dict(each.split("=", 1) for each in shlex.split(dict(stages()[1])["ENV"])) | {"PATH": f"{tree.pult}/bin"}
    with subprocess.Popen(words, cwd=data, env={**plain, "PATH": f"{tree.pult}/bin:/usr/bin:/bin:/usr/sbin:/sbin"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:  # fmt: skip
        try:
            assert _answers(f"http://127.0.0.1:{port}/readyz", running)
            probe = json.loads(dict(stages()[1])["HEALTHCHECK"].partition("CMD ")[2].replace("8080", str(port)))
            healthy = subprocess.run([str(tree.pult / "bin" / probe[0]), *probe[1:]], env=plain, check=False)
            assert healthy.returncode == 0
        finally:
            running.terminate()
        said, _ = running.communicate(timeout=30)
    assert running.returncode == 0, said
    assert {path.name for path in data.iterdir()} >= {"pult.db"}


def _answers(url: str, running: subprocess.Popen[str]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if running.poll() is not None:
            pytest.fail(f"it ended: {running.stdout.read() if running.stdout else ''}")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False


def _nothing_too_much(tree: Tree) -> None:
    """No installer, no compiler of dependencies, no library's tests; bytecode is there."""
    there = next((tree.pult / "lib").glob("python3*")) / "site-packages"
    names = {path.name.lower() for path in there.iterdir()}
    assert not names & {"pip", "setuptools", "wheel", "uv", "hatchling", "pytest"}
    assert not [path for path in there.rglob("tests") if path.is_dir()]
    assert list((there / "bot/__pycache__").glob("*.pyc"))
    megabytes = sum(path.stat().st_size for path in tree.pult.rglob("*") if path.is_file()) / 1e6
    assert megabytes < 500


def _every_library_loads(tree: Tree, tmp_path: Path) -> None:
    """What was taken out of the libraries is missed by none that pult loads."""
    words = [str(tree.pult / "bin/python"), "-I", "-c", LOADS]
    done = subprocess.run(words, capture_output=True, text=True, check=False,
                          env={"HOME": str(tmp_path)})  # fmt: skip
    assert done.returncode == 0, done.stderr
