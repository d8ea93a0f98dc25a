"""What zeep loads its documents and sends its envelopes through; importing this imports zeep."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import zeep
from lxml import etree  # type: ignore[import-untyped]  # lxml has no types

from pollctl_shell_query.client.xml import MalformedError, parse

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_XML = "http://www.w3.org/XML/1998/namespace"


class Transport(zeep.Transport):
    """zeep's own, but that documents are files."""

    def __init__(self, session: requests.Session) -> None:
        super().__init__(session=session)  # type: ignore[no-untyped-call]  # zeep has no types
        del session.headers["User-Agent"]  # zeep's; the settings say what pollctl calls itself

    def load(self, url: str) -> bytes:
        """A WSDL or schema document, from a file only.

        Raises:
            ValueError: it lies elsewhere, or is not an acceptable document.
        """
        if is_foreign(url):
            raise ValueError(f"it names {url}, and only files are read")
        root = parse(Path(unquote(urlsplit(url).path) if url.startswith("file:") else url).read_bytes())
        cut_foreign_imports(root)
        document: bytes = etree.tostring(root)
        return document

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> Any:
        """Send one envelope; this upstream wants the bare name of the operation in ``SOAPAction``, without zeep's quotes."""
        plain = {**headers, "SOAPAction": headers["SOAPAction"].strip('"')}
        return super().post(address, message, plain)  # type: ignore[no-untyped-call]


def is_foreign(url: str) -> bool:
    """Whether an address leads anywhere but to a file of this machine."""
    parts = urlsplit(url)
    return bool(parts.netloc) or parts.scheme not in ("", "file")


def cut_foreign_imports(root: Any) -> None:
    """Take out imports of schemas that lie elsewhere: they are not fetched, and what needs them is not used.

    Raises:
        MalformedError: the document includes a part of itself from elsewhere.
    """
    for element in list(root.iter(f"{_XSD}import")):
        if is_foreign(element.get("schemaLocation") or "") or element.get("namespace") == _XML:
            element.getparent().remove(element)
    for name, where in (
        (f"{_XSD}include", "schemaLocation"),
        (f"{_XSD}redefine", "schemaLocation"),
        (f"{_WSDL}import", "location"),
    ):
        for element in root.iter(name):
            if is_foreign(element.get(where) or ""):
                raise MalformedError(f"it includes {element.get(where)}, and only files are read")
