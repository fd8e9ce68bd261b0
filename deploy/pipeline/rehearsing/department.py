"""The simulated department, pult beside it, and staging's address: as processes and servers of this machine."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

ROOT: Final = Path(__file__).parents[3]
VERSIONS: Final = ("1.7.2", "1.8.0", "1.8.1")
"""Of the simulated api. 1.8.1 fails requests wherever it runs."""
IMAGE: Final = "registry.example/dept/api"
BEFORE: Final = "1.7.2"
"""What runs everywhere when a rehearsal begins."""
GITHUB_TOKEN, CLUSTER_TOKEN = "ghs_sim", "sim-k8s-token"
"""The simulator's published ones."""
SPEED: Final = 60
"""Times as fast as life that pods start and Argo CD looks."""
PATIENCE: Final = 60.0
"""Seconds for anything to come up."""
FILES: Final = "deploy/{}/kustomization.yaml"
GITOPS: Final = 'gitops = {{ tool = "argocd", application = "{}", path = "deploy/{}/kustomization.yaml" }}\n'


def digest(version: str) -> str:
    """What the simulated registry has api *version* under."""
    return "sha256:" + sha256(f"api:{version}".encode()).hexdigest()


@dataclass(frozen=True)
class Department:
    """Where everything is."""

    simulator: str
    pult: str
    staging: str

    def runs(self, namespace: str) -> str:
        """The version that every pod of api in *namespace* runs; empty while that is not so."""
        path = f"/k8s/nyc2/apis/apps/v1/namespaces/{namespace}/deployments/api"
        found = call("GET", self.simulator + path, token=CLUSTER_TOKEN)
        status, wanted = found["status"], found["spec"]["replicas"]
        counts = {status.get(name) for name in ("replicas", "updatedReplicas", "availableReplicas")}
        image = found["spec"]["template"]["spec"]["containers"][0]["image"]
        return next((each for each in VERSIONS if image.endswith(digest(each)) and counts == {wanted}), "")

    def ask(self, person: str, text: str) -> dict[str, Any]:
        """What pult answers *person*."""
        return dict(call("POST", f"{self.pult}/api/ask", {"text": text, "locale": "en"}, token=f"token-{person}"))

    def commit_of(self, version: str) -> str:
        """The release's commit on the simulated GitHub."""
        path = f"/github/repos/dept/api/git/ref/tags/v{version}"
        return str(call("GET", self.simulator + path, token=GITHUB_TOKEN)["object"]["sha"])

    def comes_to(self, namespace: str, version: str) -> None:
        """Wait until *namespace* runs *version*."""
        until(f"{namespace} does not come to run {version}", lambda: self.runs(namespace) == version)


@contextmanager
def department(folder: Path, verification: str) -> Iterator[Department]:
    """A new one in *folder*; its production judges a version by *verification* (TOML)."""
    with ExitStack() as stack:
        ports = [free_port() for _ in range(2)]
        simulator, pult = (f"http://127.0.0.1:{port}" for port in ports)
        template = stack.enter_context(_simulated(folder, ports[0]))
        (folder / "pult.toml").write_text(_configured(template, ports[1], verification))
        _staging_by_argocd(simulator)
        stack.enter_context(_running(folder, "run", "--config", str(folder / "pult.toml")))
        until("pult does not come up", lambda: _answers(f"{pult}/readyz"))
        found = Department(simulator, pult, "")
        server = stack.enter_context(_served(found))
        yield Department(simulator, pult, server)


def call(method: str, url: str, body: Any = None, token: str = "") -> Any:  # noqa: ANN401 - JSON
    """JSON there and back. OSError: no, or no answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - this machine's
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")


def until(what: str, look: Callable[[], Any], patience: float = PATIENCE) -> Any:  # noqa: ANN401
    """The first result that is something. TimeoutError, with *what*: there is none in time."""
    ends = time.monotonic() + patience
    while True:
        try:
            if found := look():
                return found
        except OSError:
            pass  # not there yet
        if time.monotonic() > ends:
            raise TimeoutError(what)
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _running(folder: Path, *arguments: str) -> Iterator[Path]:
    """``pult`` with *arguments*; where what it says goes."""
    said = folder / f"{arguments[0]}.log"
    with said.open("wb") as log:
        command = [sys.executable, "-m", "bot", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process:  # noqa: S603
            try:
                yield said
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


@contextmanager
def _simulated(folder: Path, port: int) -> Iterator[str]:
    """``pult simulate``; the configuration that it prints."""
    with _running(folder, "simulate", "--port", str(port), "--speed", str(SPEED)) as said:
        until("the simulator does not come up", lambda: "# The department runs" in said.read_text())
        yield said.read_text().partition("# The department runs")[0]


def _configured(template: str, port: int, verification: str) -> str:
    """As the simulator gives it, but api goes by GitOps, and pult proposes for production what is ready."""
    text = template.replace("8080", str(port))
    text = re.sub(r"\[services\.verification\]\nbake = .*\n", "", text, count=1)
    staging, production = (
        f'name = "{name}"\ncluster = "nyc2"\nnamespace = "{name}"\n' for name in ("staging", "production")
    )
    text = text.replace(staging, staging + GITOPS.format("api-staging", "staging"))
    told = f'verification = {verification}\non_ready = "propose"\n'
    return text.replace(production, production + GITOPS.format("api", "production") + told)


def _staging_by_argocd(simulator: str) -> None:
    """Staging's own Application, as deploy/gitops would make it, and BEFORE in its file."""
    source = {"repoURL": "https://github.com/dept/api.git", "path": "deploy/staging", "targetRevision": "main"}
    spec = {
        "project": "default",
        "source": source,
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "staging"},
        "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
    }
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "api-staging"},
        "spec": spec,
    }
    path = "/k8s/nyc2/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
    call("POST", simulator + path, body, token=CLUSTER_TOKEN)


def _answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - this machine's
        return bool(answer.status == 200)


@contextmanager
def _served(found: Department) -> Iterator[str]:
    """Staging's address: it tells the version that the simulated cluster runs there."""

    class Version(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"version": found.runs("staging")}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Version) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
