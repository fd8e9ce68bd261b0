"""The loader: what it takes, what it refuses, and in which words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import NotReadyError
from config.loader import load, parse

HERE = Path("pult.toml")
MINIMAL = """
[slack]
bot_token = "xoxb-1"
app_token = "xapp-1"
[[routes]]
to = ["slack:C0OPS"]
"""


def refused(text: str, **environ: str) -> list[str]:
    """The problems told about *text*, one a line, without the header."""
    with pytest.raises(NotReadyError) as told:
        parse(text, HERE, environ)
    header, *lines = str(told.value).splitlines()
    assert header.startswith("pult.toml has ")
    assert all(line.startswith("  ") for line in lines)
    return [line.strip() for line in lines]


def test_the_least_configuration_is_enough() -> None:
    settings = parse(MINIMAL, HERE, {})
    assert settings.server.port == 8080
    assert settings.store.url.get_secret_value() == "sqlite:///pult.db"
    assert settings.chat.locale == "en"
    assert settings.oncall.ack_expires == timedelta(hours=1)
    assert settings.telegram is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "[server]\nprot = 1",
            "server.prot: found an unknown key, allowed are host, port, public_url, drain_seconds, backlog, "
            "heartbeat_url, replica, replicas; did you mean port?",
        ),
        ("[server]\nport = '80'", 'server.port: found "80", allowed is a whole number'),
        ("[server]\nport = 70000", "server.port: found 70000, allowed is less than or equal to 65535"),
        ("[server]\nport = true", "server.port: found true, allowed is a whole number"),
        ("[console]\nopen = 'yes'", 'console.open: found "yes", allowed is true or false'),
        ("[chat]\nlocale = 'rus'", 'chat.locale: found "rus", allowed is "en" or "ru"; did you mean ru?'),
        (
            "[chat]\ntimezone = 'Europe/Moskow'",
            'chat.timezone: found "Europe/Moskow", allowed is a zone of the tz database, such as Europe/Moscow; '
            "did you mean Europe/Moscow?",
        ),
        (
            "[oncall]\nescalate_after = '5 minutes'",
            'oncall.escalate_after: found "5 minutes", allowed is a whole number and one of s, m, h, d, w: '
            "30s, 5m, 2h, 7d, 4w",
        ),
        (
            "[telegram]\nmode = 'polling'",
            "telegram.bot_token: found nothing, but it is required: Bot token from @BotFather",
        ),
        (
            "[webhooks.alertmanager]\nusername = 'am'",
            "webhooks.alertmanager: found the keys username, allowed is token, username together with "
            "password, or client_certificate",
        ),
        (
            "[[people]]\nname = 'a b'",
            'people[a b].name: found "a b", allowed is one word, without : / [ ] or quotes',
        ),
        ("[[people]]\nname = 'eva'\ntelegram = '7'", 'people[eva].telegram: found "7", allowed is a whole number'),
        (
            "[[people]]\nslack = 'U1'",
            "people[#1].name: found nothing, but it is required: What others call them in commands",
        ),
    ],
)
def test_a_mistake_is_told_with_path_found_allowed_and_nearest(line: str, told: str) -> None:
    assert refused(f"{MINIMAL}\n{line}") == [told]


def test_every_problem_is_told_at_once() -> None:
    text = MINIMAL.replace("app_token", "app_tokn") + "[server]\nport = 'x'\n[chatt]\n"
    paths = [line.partition(":")[0] for line in refused(text)]
    assert sorted(paths) == ["chatt", "server.port", "slack.app_tokn"]


def test_variables_override_the_file() -> None:
    environ = {
        "PULT_SLACK__BOT_TOKEN": "xoxb-2",
        "PULT_SERVER__PORT": "9",
        "PULT_CHAT__APPROVALS": '["slack:C1"]',
        "PULT_POLICY__PROMOTE__FOUR_EYES": "false",
        "PULT_ONCALL__ESCALATE_AFTER": "7m",
        "PULT_TELEGRAM__BOT_TOKEN": "",
        "PULT_TOKEN": "of pult ask",
    }
    settings = parse(MINIMAL, HERE, environ)
    assert settings.slack is not None
    assert settings.slack.bot_token.get_secret_value() == "xoxb-2"
    assert settings.server.port == 9
    assert settings.chat.approvals == ("slack:C1",)
    assert settings.policy["promote"].four_eyes is False
    assert settings.oncall.escalate_after == timedelta(minutes=7)
    assert settings.telegram is None


def test_a_variable_wins_over_a_reference_that_leads_nowhere() -> None:
    text = MINIMAL.replace('"xoxb-1"', '{ env = "NOT_SET" }')
    settings = parse(text, HERE, {"PULT_SLACK__BOT_TOKEN": "xoxb-2"})
    assert settings.slack is not None
    assert settings.slack.bot_token.get_secret_value() == "xoxb-2"


def test_wrong_variables_are_refused() -> None:
    assert refused(MINIMAL, PULT_SERVER__PORT="abc") == ['server.port: found "abc", allowed is a whole number']
    assert refused(MINIMAL, PULT_SLAK__BOT_TOKEN="xoxb-secret") == [
        "PULT_SLAK__BOT_TOKEN: found a variable for a section that does not exist; did you mean PULT_SLACK__…?"
    ]
    with pytest.raises(NotReadyError, match="allowed is JSON"):
        parse(MINIMAL, HERE, {"PULT_ROUTES": "slack:C1"})


def test_secrets_may_stand_in_a_file_or_a_variable(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-from-file\n")
    text = MINIMAL.replace('"xoxb-1"', '{ file = "token" }').replace('"xapp-1"', '{ env = "APP" }')
    settings = parse(text, tmp_path / "pult.toml", {"APP": "xapp-from-variable"})
    assert settings.slack is not None
    assert settings.slack.app_token is not None
    assert settings.slack.bot_token.get_secret_value() == "xoxb-from-file"
    assert settings.slack.app_token.get_secret_value() == "xapp-from-variable"


def test_a_reference_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for reference, told in (
        ('{ env = "GONE" }', "the environment variable GONE, which is not set"),
        ('{ file = "gone" }', "the file gone, which can't be read: No such file or directory"),
        ('{ file = "empty" }', "the empty file empty"),
        ('{ file = "binary" }', "the file binary, which can't be read: it is not UTF-8 text"),
    ):
        with pytest.raises(NotReadyError) as error:
            parse(MINIMAL.replace('"xoxb-1"', reference), tmp_path / "pult.toml", {})
        assert str(error.value).count("\n") == 1, "one problem, told once"
        assert f"slack.bot_token: found {told}" in str(error.value)


def test_only_secrets_may_be_references() -> None:
    assert refused(f'{MINIMAL}\n[server]\nhost = {{ env = "HOST" }}', HOST="0.0.0.0") == [
        "server.host: found the keys env, allowed is text in quotes"
    ]
    labels = MINIMAL.replace("[[routes]]", '[[routes]]\nmatch = { env = "production" }\nto = ["slack:C1"]\n[[routes]]')
    assert parse(labels, HERE, {}).routes[0].match == {"env": "production"}


@pytest.mark.parametrize(
    "text",
    [
        "[slack]\nbot_token = 'hunter2'\napp_token = 7",
        "[slack]\nbot_tokn = 'hunter2'",
        "slack = 'hunter2'",
        "people = ['hunter2']",
        "[webhooks]\ngithub = 'hunter2'",
        "[telegram]\nbot_token = ['hunter2']",
        "[store]\nurl = 'mysql://root:hunter2@db/x'",
        "[prometheus]\nurl = 'ftp://root:hunter2@db/x'",
        "[server]\nheartbeat_url = 'hunter2'",
        "[telegram]\nbot_token = 't'\nmode = 'webhook'\nwebhook_secret = 'hunter2 !'",
        "[[people]]\nname = 'a'\ntoken = 'hunter2'\n[[people]]\nname = 'b'\ntoken = 'hunter2'",
        "[slack]\nbot_token = 'hunter2",
    ],
)
def test_no_error_repeats_a_secret(text: str) -> None:
    with pytest.raises(NotReadyError) as error:
        parse(text + "\n[[routes]]\nto = ['console:ops']", HERE, {})
    assert "hunter2" not in str(error.value)


def test_settings_hide_their_secrets() -> None:
    settings = parse(MINIMAL + "\n[store]\nurl = 'postgresql://u:hunter2@a,b/pult'", HERE, {})
    assert "xoxb-1" not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_two_hosts_are_a_fine_store() -> None:
    url = "postgresql://pult:pw@pg-nyc2:5432,pg-sfo3:5432/pult?target_session_attrs=read-write"
    assert parse(f"{MINIMAL}\n[store]\nurl = '{url}'", HERE, {}).store.url.get_secret_value() == url


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"there is no configuration at .*pult\.toml: copy .*pult\.example\.toml"):
        load(tmp_path / "pult.toml", {})
    with pytest.raises(NotReadyError, match="can't be read: Is a directory"):
        load(tmp_path, {})
    (tmp_path / "pult.toml").write_bytes(b"\xff")
    with pytest.raises(NotReadyError, match="not UTF-8"):
        load(tmp_path / "pult.toml", {})
    (tmp_path / "pult.toml").write_text("[slack\n")
    with pytest.raises(NotReadyError, match=r"not valid TOML: .*line 1"):
        load(tmp_path / "pult.toml", {})
    (tmp_path / "pult.toml").write_text(MINIMAL)
    assert load(tmp_path / "pult.toml", {}).slack is not None


def test_the_process_environment_is_read_when_none_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pult.toml").write_text(MINIMAL)
    monkeypatch.setenv("PULT_SERVER__PORT", "8123")
    assert load(tmp_path / "pult.toml").server.port == 8123


def test_kubeconfig_starts_at_the_files_folder(tmp_path: Path) -> None:
    text = f"{MINIMAL}\n[[clusters]]\nname = 'nyc2'\nregion = 'nyc2'\nkubeconfig = 'kube.yaml'"
    assert parse(text, tmp_path / "pult.toml", {}).clusters[0].kubeconfig == tmp_path / "kube.yaml"
    absolute = text.replace("kube.yaml", "/etc/kube.yaml")
    assert parse(absolute, tmp_path / "pult.toml", {}).clusters[0].kubeconfig == Path("/etc/kube.yaml")
