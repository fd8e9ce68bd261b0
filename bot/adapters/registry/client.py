"""The Registry port over the OCI distribution API: a HEAD tells which digest a tag stands for.

Of an image for several platforms that is the digest of its index, which is what deployment files pin.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Final

import aiohttp

from bot.adapters.registry.proofs import Proofs
from bot.adapters.registry.references import DIGEST, HUB, Reference, reference
from bot.adapters.registry.settings import RegistrySettings, loopback
from bot.adapters.registry.verdicts import verdict
from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code

DEADLINE: Final = 10.0
"""Seconds for one answer: ours."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a manifest, the least that a registry has to take: opencontainers/distribution-spec."""
CHUNK: Final = 64 * 1024
"""Bytes."""
HUB_API: Final = "https://registry-1.docker.io"
"""Where Docker Hub answers."""
ACCEPT: Final = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)
"""Indexes first; without them a registry converts the manifest, and gives the digest of that."""


class OciRegistry:
    """Every registry that an image's name can begin with."""

    def __init__(self, registries: Sequence[RegistrySettings], session: aiohttp.ClientSession) -> None:
        self._registries = {each.host.lower(): each for each in registries}
        self._session = session
        self._proofs = Proofs(self._registries, session)

    async def digest(self, image: str) -> str:
        """``sha256:…`` of the tag now; of a digest that digest, if the registry has it."""
        wanted = reference(image)
        said = await self._asked("HEAD", wanted)
        if not DIGEST.fullmatch(said):  # the header is a courtesy; the content's own hash is what it would say
            said = await self._asked("GET", wanted)
        if wanted.digest and said != wanted.digest:
            raise UserError(
                "The registry {host} shows another image than {image}.", host=Code(wanted.host), image=image
            )
        return said

    async def check(self) -> str:
        """Whether each configured registry answers and takes the credentials it is given."""
        for host in self._registries:
            await self._call("GET", host, "", "/v2/")
        return f"they answer: {', '.join(self._registries)}"

    async def _asked(self, method: str, wanted: Reference) -> str:
        return await self._call(method, wanted.host, wanted.name, f"/v2/{wanted.name}/manifests/{wanted.wanted}")

    async def _call(self, method: str, host: str, name: str, path: str) -> str:
        """The digest that is told, or computed from what is got. A token that ran out is replaced once."""
        host = host.lower()
        try:
            proof = self._proofs.known(host, name)
            url = self._api(host) + path
            async with self._session.request(method, url, headers={"Accept": ACCEPT, **proof}) as answer:
                if answer.status != 401:
                    return await _read(answer, host, path)
                if not name and host not in self._with_password:
                    return ""  # it answers, and has nothing to say to the anonymous
                proof = await self._proofs.answer(host, name, answer)
            async with self._session.request(method, url, headers={"Accept": ACCEPT, **proof}) as answer:
                return await _read(answer, host, path)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:  # or no JSON
            raise TemporaryError(f"The registry {host} does not answer ({type(error).__name__})") from error

    @property
    def _with_password(self) -> set[str]:
        return {host for host, each in self._registries.items() if each.password is not None}

    def _api(self, host: str) -> str:
        found = self._registries.get(host)
        if found is not None and found.api_url:
            return found.api_url.rstrip("/")
        if host == HUB:
            return HUB_API
        return f"{'http' if loopback(host) else 'https'}://{host}"


async def _read(answer: aiohttp.ClientResponse, host: str, path: str) -> str:
    if answer.status != 200:
        raise verdict(answer.status, answer.headers, host, path.removeprefix("/v2/").replace("/manifests/", ":"))
    if answer.method == "HEAD":
        return answer.headers.get("Docker-Content-Digest", "")
    size, hashed = 0, sha256()
    async for chunk in answer.content.iter_chunked(CHUNK):
        size += len(chunk)
        if size > LARGEST:
            raise TemporaryError(f"The registry {host} does not answer (something in between does)")
        hashed.update(chunk)
    return f"sha256:{hashed.hexdigest()}"


@asynccontextmanager
async def open_registry(registries: Sequence[RegistrySettings]) -> AsyncGenerator[OciRegistry, None]:
    """Connects at the first call."""
    timeout = aiohttp.ClientTimeout(total=DEADLINE)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield OciRegistry(registries, session)
