"""The certificate that pollctl shows to an upstream which asks for one, and to which upstreams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from pollctl.config.reader import join
from pollctl.redaction import one_line
from pollctl.urls import Origin, named_host

if TYPE_CHECKING:
    import ssl

    from pollctl.config.schema import Http, HttpHost


class ClientCertificate(Struct, frozen=True):
    """A certificate with what leads to its authority, as PEM, and its key.

    Attributes:
        path: the certificate; the key too, where ``key`` is None.
        key: the key that belongs to it, not encrypted.
    """

    path: Path
    key: Path | None = None

    @classmethod
    def of(cls, settings: Http | HttpHost) -> Self | None:
        """That of a table of the settings; None where it names none."""
        return cls(settings.client_cert, settings.client_key) if settings.client_cert else None

    @property
    def key_file(self) -> Path:
        """Where the key is: who can read this file can pass for pollctl."""
        return self.key or self.path

    def load_into(self, context: ssl.SSLContext) -> None:
        """Have *context* show it.

        Raises:
            ValueError: it cannot be used; the message names the file and says why.
        """
        import ssl

        for path in filter(None, (self.path, self.key)):
            if not path.is_file():  # a pipe that nobody writes to would hold the pass without end
                raise ValueError(f"there is no file {path}")
        try:
            context.load_cert_chain(self.path, self.key, password=_refuse_to_ask)
        except _EncryptedError:
            raise ValueError(
                f"the key in {self.key_file} is encrypted, and nobody is there to type its password"
            ) from None
        except ssl.SSLError as error:
            raise ValueError(self._why(error)) from error
        except OSError as error:
            raise ValueError(f"{error.filename or self.path} cannot be read: {error.strerror}") from error
        context.post_handshake_auth = True  # some servers ask only once they know which page is wanted

    def _why(self, error: ssl.SSLError) -> str:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"the key in {self.key_file} does not belong to the certificate in {self.path}"
        return f"{self.path} is not a certificate in PEM, or {self.key_file} does not hold its key"


class ClientCertificates(Struct, frozen=True, kw_only=True):
    """Which certificate is shown to which host.

    Attributes:
        for_all: to every host without an entry.
        by_host: by ``host`` or ``host:port``, as ``urls.named_host`` writes them; None: none is shown.
    """

    for_all: ClientCertificate | None = None
    by_host: Mapping[str, ClientCertificate | None] = {}

    @classmethod
    def of(cls, settings: Http) -> Self:
        """Those of ``[pollctl.http]``."""
        by_host = {named_host(name): ClientCertificate.of(host) for name, host in settings.hosts.items()}
        return cls(for_all=ClientCertificate.of(settings), by_host=by_host)

    def to_show(self, origin: Origin, *, has_left_home: bool) -> ClientCertificate | None:
        """The one for *origin*.

        Args:
            origin: where a request goes to.
            has_left_home: whether a redirect led the exchange away from the origin of its request. Then only a
                certificate that names the host is shown, as no other credentials go along.
        """
        if origin.scheme != "https":
            return None
        for name in (f"{origin.bracketed}:{origin.port}", origin.bracketed):
            if name in self.by_host:
                return self.by_host[name]
        return None if has_left_home else self.for_all


def key_files(settings: Http) -> Iterator[Path]:
    """The files that hold keys."""
    for _, certificate in _named(settings):
        yield certificate.key_file


def problems_of(settings: Http) -> Iterator[str]:
    """What is wrong with the certificates that *settings* name, each with its key: what reading the settings does not look at."""
    import ssl

    for where, certificate in _named(settings):
        try:
            certificate.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except ValueError as error:
            yield one_line(f"{where}: {error}")


def _named(settings: Http) -> Iterator[tuple[str, ClientCertificate]]:
    tables: dict[str, Http | HttpHost] = {"pollctl.http": settings}
    tables |= {join("pollctl.http.hosts", name): host for name, host in settings.hosts.items()}
    for table, named in tables.items():
        if certificate := ClientCertificate.of(named):
            yield f"{table}.client_cert", certificate


class _EncryptedError(Exception):
    """The key cannot be read without a password."""


def _refuse_to_ask() -> str:
    """In place of OpenSSL's question on the terminal."""
    raise _EncryptedError
