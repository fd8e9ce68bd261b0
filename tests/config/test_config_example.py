"""The example file against the settings classes: every key is in it, and it loads."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from config.loader import EXAMPLE, parse
from config.settings import Settings

TEXT = EXAMPLE.read_text(encoding="utf-8")
COMMENTED = re.compile(r"^# (\w+) = (.+?)(?:  #.*)?$", re.MULTILINE)


def _model(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model(part))), None)


def _keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key of *model* and the tables inside it, as ``Class.key``."""
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{field.alias or name}"
        inner = _model(field.annotation)
        if inner:
            yield from _keys(inner)


def _written(data: Any, model: type[BaseModel] | None) -> Iterator[str]:
    """Every key of a table of *data* that has a class, the same way."""
    if isinstance(data, list):
        for item in data:
            yield from _written(item, model)
    elif isinstance(data, dict) and model:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        for key, value in data.items():
            if key not in fields:  # the name of a policy's action
                yield from _written(value, model)
                continue
            yield f"{model.__name__}.{key}"
            yield from _written(value, _model(fields[key].annotation))


def loaded(tmp_path: Path) -> Settings:
    for name in re.findall(r"/run/secrets/([\w.-]+)", TEXT):
        (tmp_path / name).write_text(f"secret-{name}\n")
    environ = {name: f"secret-{name}" for name in re.findall(r'env = "(\w+)"', TEXT)}
    return parse(TEXT.replace("/run/secrets", str(tmp_path)), tmp_path / "pult.toml", environ)


def test_every_key_is_documented() -> None:
    written = set(_written(tomllib.loads(TEXT), Settings))
    alternatives = {
        "OncallSettings.ical", "GithubSettings.app_id", "GithubSettings.private_key",
        "GrafanaHook.username", "GrafanaHook.password", "SloSettings.openslo",
    }  # fmt: skip
    assert {name.split(".")[1] for name in alternatives} == {name for name, _ in COMMENTED.findall(TEXT)}
    assert set(_keys(Settings)) - written == alternatives


def test_the_example_loads(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert [person.name for person in settings.people] == ["anna", "boris"]
    assert settings.failover is not None
    assert settings.failover.source == "nyc2"


def test_the_commented_keys_are_right_too(tmp_path: Path) -> None:
    (tmp_path / "github-app.pem").write_text("PEM")
    (tmp_path / "grafana-password").write_text("secret")
    commented = dict(COMMENTED.findall(TEXT))
    assert set(commented) == {"ical", "app_id", "private_key", "username", "password", "openslo"}
    text = (
        "[[routes]]\nto = ['console:ops']\n"
        f"[oncall]\nical = {commented['ical']}\n"
        f"[webhooks.grafana]\nusername = {commented['username']}\npassword = {commented['password']}\n"
        f"[github]\napp_id = {commented['app_id']}\nprivate_key = {commented['private_key']}\n"
    )
    settings = parse(text.replace("/run/secrets", str(tmp_path)), tmp_path / "pult.toml", {})
    assert settings.github is not None
    assert settings.github.app_id == 12345


def _plain(value: Any) -> Any:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


@pytest.mark.parametrize(
    ("section", "skipped"),
    [
        ("server", {"public_url", "heartbeat_url"}),
        ("store", set()),
        ("chat", {"timezone", "approvals", "runbooks"}),
        ("slack", {"bot_token", "app_token", "signing_secret"}),
        ("telegram", {"bot_token", "webhook_secret", "rich"}),
        ("console", set()),
        ("oncall", {"rotation", "levels", "ical"}),
        ("prometheus", {"url", "token"}),
        ("alertmanager", {"urls", "token"}),
        ("loki", {"url", "token", "selector"}),
        ("watch", {"severities"}),
        ("github", {"token", "app_id", "private_key"}),
        ("digitalocean", {"token"}),
        ("opencost", {"url", "token", "clusters"}),
        ("prices", {"cpu", "memory", "clusters", "monthly", "owners"}),
        (
            "failover",
            {
                "source",
                "target",
                "database",
                "traffic",
                "witnesses",
                "environment",
                "connections",
                "capacity",
                "probes",
                "drill",
            },
        ),
    ],
)
def test_the_example_shows_the_defaults(section: str, skipped: set[str], tmp_path: Path) -> None:
    shown = getattr(loaded(tmp_path), section)
    for name, field in type(shown).model_fields.items():
        if name not in skipped:
            assert _plain(getattr(shown, name)) == _plain(field.default), name


def test_every_key_explains_itself() -> None:
    def undocumented(model: type[BaseModel]) -> Iterator[str]:
        for name, field in model.model_fields.items():
            if not field.description:
                yield f"{model.__name__}.{name}"
            inner = _model(field.annotation)
            if inner:
                yield from undocumented(inner)

    assert list(undocumented(Settings)) == []
