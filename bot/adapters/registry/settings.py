"""Image registries that want to know who asks."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator


def loopback(host: str) -> bool:
    """Whether *host*, with or without a port, is this machine: only there pult speaks without TLS."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _address(url: str) -> str:
    parts = urlsplit(url)
    if not parts.netloc or parts.scheme not in {"https", "http"} or parts.query or parts.fragment:
        raise ValueError("a whole https:// address, without /v2")
    if parts.scheme == "http" and not loopback(parts.netloc):
        raise ValueError("https://, since http:// would show the password; only this machine may do without")
    return url


class RegistrySettings(BaseModel):
    """One image registry. Those without a table are asked anonymously."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    host: str = Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$")
    """As image names begin: "ghcr.io", "registry.dept.example:5000"; "docker.io" for Docker Hub. No default."""
    username: str = ""
    """Who asks. Unset: anonymous."""
    password: SecretStr | None = None
    """Password or token of that user, good for pulling."""
    api_url: Annotated[str, AfterValidator(_address)] | None = None
    """Address of its API, without /v2. Default: https://HOST. Change it for a mirror or the simulator."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.username) is (self.password is None):
            raise ValueError("username together with password, or neither")
        return self
