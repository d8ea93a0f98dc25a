"""What holds for every exchange."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from pollctl.config.schema import Engine
from pollctl.http.client_certificate import ClientCertificates

if TYPE_CHECKING:
    from pollctl.config.schema import Http


REPEATABLE = ("GET", "HEAD")
"""Methods that only ask: such a request may be made again, sent on, or cut off in its midst."""


class Limits(Struct, frozen=True, kw_only=True):
    """What holds for every exchange that sets nothing of its own.

    Attributes:
        timeout: total seconds, from the first connect to the last byte.
        max_body: largest decoded body in bytes.
        ca_file: further certificate authorities, in PEM; verification cannot be switched off.
        trust_env: whether ``.netrc`` and the proxy variables count.
        user_agent: what pollctl calls itself.
        certificates: what is shown to upstreams that ask for a certificate.
        engine: what makes GETs and HEADs side by side; ``auto`` is libcurl where the extra ``curl`` is installed.
    """

    timeout: float = 10.0
    max_body: int = 32 * 1024**2
    ca_file: Path | None = None
    trust_env: bool = False
    user_agent: str = "pollctl"
    certificates: ClientCertificates = ClientCertificates()
    engine: Engine = "auto"

    @classmethod
    def of(cls, settings: Http) -> Self:
        """Those of ``[pollctl.http]``."""
        return cls(
            timeout=settings.timeout.total_seconds(),
            max_body=settings.max_body,
            ca_file=settings.ca_file,
            trust_env=settings.trust_env,
            user_agent=settings.user_agent,
            certificates=ClientCertificates.of(settings),
            engine=settings.engine,
        )
