"""Paging providers that pult may wake."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from bot.domain.durations import parse_duration


def _address(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        whole = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of brackets, or of the port
        whole = False
    if not whole:
        raise ValueError("a whole https:// address")
    return url


def _filled(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("a secret that is not empty, since nobody could prove anything with that")
    return secret


class PagerSettings(BaseModel):
    """One paging provider, or whatever else takes signed POSTs. Destination "webhook:name"."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    """What destinations call it. No default."""
    url: Annotated[SecretStr, AfterValidator(_address)]
    """Where it takes events. A secret, since most providers keep their key in it. No default."""
    secret: Annotated[SecretStr, AfterValidator(_filled)]
    """HMAC key: X-Pult-Signature is "sha256=" over "<X-Pult-Timestamp>.<body>", by which it knows pult. No default."""
    timeout: Annotated[timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(), le=timedelta(seconds=25))] = (
        timedelta(seconds=10)
    )
    """How long one POST may take, 25 s at most."""
