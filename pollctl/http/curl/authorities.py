"""The certificate authorities, as libcurl reads them: from one file, which it keeps parsed as long as it is called the same."""

from __future__ import annotations

import os
from pathlib import Path

import certifi

from pollctl.http.client_certificate import ClientCertificate
from pollctl.http.verification import verifying


class Authorities:
    """What certificates are verified by, and those of ours that were found usable.

    Args:
        ca_file: further authorities, in PEM.
    """

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        self._path = ""
        self._descriptor = -1
        self._usable: set[ClientCertificate] = set()

    @property
    def path(self) -> str:
        """Where libcurl finds them.

        Raises:
            Failure: ``local``, when they cannot be read.
        """
        if not self._path:
            verifying(self._ca_file, None)
            self._path = self._joined(self._ca_file) if self._ca_file else certifi.where()
        return self._path

    def check(self, certificate: ClientCertificate) -> None:
        """Refuse a certificate that cannot be shown, in the words of the other engine.

        Raises:
            Failure: ``local``.
        """
        if certificate not in self._usable:
            verifying(self._ca_file, certificate)
            self._usable.add(certificate)

    def close(self) -> None:
        """Let them go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _joined(self, ca_file: Path) -> str:
        self._descriptor = os.memfd_create("authorities", os.MFD_CLOEXEC)
        with open(self._descriptor, "wb", closefd=False) as file:
            file.write(Path(certifi.where()).read_bytes() + b"\n" + ca_file.read_bytes())
        return f"/proc/self/fd/{self._descriptor}"
