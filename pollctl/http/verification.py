"""What upstreams are verified by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from pollctl.http.client_certificate import ClientCertificate
from pollctl.http.errors import Failure

if TYPE_CHECKING:
    import ssl


def verifying(ca_file: Path | None, certificate: ClientCertificate | None) -> ssl.SSLContext:
    """What verifies upstreams: the public authorities and *ca_file*; there is no way to switch it off.

    Args:
        ca_file: further authorities, in PEM.
        certificate: what upstreams are shown.

    Raises:
        Failure: ``local``, when one of them cannot be used.
    """
    import ssl

    try:
        context = ssl.create_default_context(cafile=certifi.where())
    except OSError as error:
        raise Failure("local", f"the public authorities cannot be read: {error}") from error
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise Failure("local", f"the ca_file {ca_file} cannot be read: {error}") from error
    try:
        if certificate:
            certificate.load_into(context)
    except ValueError as error:
        raise Failure("local", f"the client certificate cannot be used: {error}") from error
    return context
