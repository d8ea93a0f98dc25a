"""The SOAP client: zeep writes the envelopes, pollctl sends them, and only the address of the token is ever asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pollctl import Answer, ConfigError, Request
from pollctl_shell_query.client.xml import MAX_BODY, NAMESPACE, MalformedError, parse

BUNDLED = Path(__file__).with_name("partner.wsdl")
OPERATIONS = ("Create", "Retrieve", "Perform", "Delete")
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_XML = "http://www.w3.org/XML/1998/namespace"
_TOKEN = "{http://exacttarget.com}fueloauth"  # noqa: S105 - the name of an element

Send = Callable[[Request], Answer]


class Transport:
    """What zeep loads its documents and sends its envelopes through.

    Args:
        send: makes an exchange, within the limits of the pass.
    """

    def __init__(self, send: Send) -> None:
        self._send = send

    def load(self, url: str) -> bytes:
        """A WSDL or schema document, from a file only.

        Raises:
            ValueError: it lies elsewhere, or is not an acceptable document.
        """
        from lxml import etree  # type: ignore[import-untyped]  # lxml has no types

        if is_foreign(url):
            raise ValueError(f"it names {url}, and only files are read")
        root = parse(Path(unquote(urlsplit(url).path) if url.startswith("file:") else url).read_bytes())
        cut_foreign_imports(root)
        document: bytes = etree.tostring(root)
        return document

    def post_xml(self, address: str, envelope: Any, headers: dict[str, str]) -> Answer:
        """Send one envelope; this upstream wants the bare name of the operation in ``SOAPAction``, without zeep's quotes."""
        from lxml import etree

        body = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        plain = {**headers, "SOAPAction": headers["SOAPAction"].strip('"')}
        return self._send(Request(url=address, method="POST", headers=plain, body=body, max_body=MAX_BODY))


class SoapClient:
    """The four operations, ready to be called; building it takes time, so do so once, and only when it is needed.

    Args:
        wsdl: the file that describes them; None for the bundled one.
        send: makes an exchange.

    Raises:
        ConfigError: the file does not describe them, or cannot be read.
    """

    def __init__(self, wsdl: Path | None, send: Send) -> None:
        import zeep

        path = wsdl or BUNDLED
        self._client: Any
        try:
            self._client = zeep.Client(  # type: ignore[no-untyped-call]  # zeep has no types
                str(path.absolute()), transport=Transport(send), settings=_strict()
            )
            self._binding = self._binding_name()
        except (OSError, ValueError, LookupError, TypeError, zeep.exceptions.Error) as error:
            raise ConfigError(f"[plugins.shell_query] wsdl {str(path)!r} cannot be used: {error}") from error

    def call(self, base: str, token: str, operation: str, /, **arguments: Any) -> Answer:
        """Call an operation at an address of the instance *base*; the answer is not read here."""
        from lxml import etree

        header = etree.Element(_TOKEN, nsmap={None: "http://exacttarget.com"})
        header.text = token
        service = self._client.create_service(self._binding, f"{base}/Service.asmx")
        answer: Answer = service[operation](_soapheaders=[header], **arguments)
        return answer

    def new(self, kind: str, **fields: Any) -> Any:
        """An object of the partner API."""
        return self._client.get_type(f"{{{NAMESPACE}}}{kind}")(**fields)

    def _binding_name(self) -> str:
        for name, binding in self._client.wsdl.bindings.items():
            if set(OPERATIONS) <= set(binding.all()):
                return str(name)
        raise LookupError(f"it has no binding with {', '.join(OPERATIONS)}")


def left_out() -> Any:
    """The value of an argument that is left out; None would be written as an empty element."""
    from zeep import xsd

    return xsd.SkipValue


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


def _strict() -> Any:
    from zeep.settings import Settings

    return Settings(
        strict=True,
        raw_response=True,
        forbid_dtd=True,
        forbid_entities=True,
        forbid_external=True,
        xml_huge_tree=False,
        force_https=False,
    )
