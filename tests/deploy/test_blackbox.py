"""The blackbox exporter with the shipped file, against addresses that are well and that are not."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.deploy.monitoring import MONITORING
from tests.real import Program, free_port

EXPORTER = "prometheus-blackbox-exporter"
"""Debian's package of the same name. .ci/run does not bring it: where it is not there, the file is only read."""
CERTIFICATE = "probe_ssl_earliest_cert_expiry"


class Answers(BaseHTTPRequestHandler):
    """The status that its path names; a redirect leads to /200."""

    def do_GET(self) -> None:
        status = int(self.path.strip("/"))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[str]:
    """Its address; over TLS where there is a *certificate*, with its key in the same file."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        server.shutdown()


def signed(folder: Path, name: str) -> Path:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    path = folder / f"{name}.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}", "-addext"]
    files = ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"]
    subprocess.run(["openssl", *words, "subjectAltName=IP:127.0.0.1", *files], check=True, capture_output=True)
    path.write_text((folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text())
    return path


@contextmanager
def exporter(folder: Path, trusted: Path) -> Iterator[str]:
    """The exporter's address; it trusts *trusted* and nothing else."""
    port = free_port()
    program = f"{EXPORTER} --config.file={MONITORING / 'blackbox.yml'} --web.listen-address=127.0.0.1:{port}"
    command = ("env", f"SSL_CERT_FILE={trusted}", "SSL_CERT_DIR=/nonexistent", *program.split())
    running = Program(command, f"http://127.0.0.1:{port}", "/-/healthy", folder / "exporter.log")
    running.start()
    try:
        yield running.url
    finally:
        running.kill()


def probed(url: str, target: str) -> dict[str, float]:
    """What Prometheus would get of *target*, without labels."""
    query = urllib.parse.urlencode({"module": "http_2xx", "target": target})
    with urllib.request.urlopen(f"{url}/probe?{query}", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


@pytest.mark.skipif(shutil.which(EXPORTER) is None, reason=f"no {EXPORTER} here: .ci/run does not bring it")
def test_only_a_2xx_over_tls_that_can_be_trusted_is_health(tmp_path: Path) -> None:
    ours, strange = signed(tmp_path, "ours"), signed(tmp_path, "strange")
    places = serving(ours), serving(strange), serving()
    with places[0] as good, places[1] as stranger, places[2] as plain, exporter(tmp_path, tmp_path / "ours.crt") as url:
        well = probed(url, f"{good}/200")
        assert (well["probe_success"], well[CERTIFICATE] > 0) == (1, True)
        for target in (f"{good}/302", f"{good}/503", f"{stranger}/200", f"{plain}/200"):
            assert probed(url, target)["probe_success"] == 0, target
