"""The SOAP client: zeep writes the envelopes, the session of the pass sends them, and only the address of the token is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pollctl import ConfigError
from pollctl_shell_query.client.xml import NAMESPACE

if TYPE_CHECKING:
    import requests

BUNDLED = Path(__file__).with_name("partner.wsdl")
OPERATIONS = ("Create", "Retrieve", "Perform", "Delete")
_TOKEN = "{http://exacttarget.com}fueloauth"  # noqa: S105 - the name of an element


class SoapClient:
    """The four operations, ready to be called; building it takes time, so do so once, and only when it is needed.

    Args:
        wsdl: the file that describes them; None for the bundled one.
        session: what the exchanges are made through, that of a pass.

    Raises:
        ConfigError: the file does not describe them, or cannot be read.
    """

    def __init__(self, wsdl: Path | None, session: requests.Session) -> None:
        import zeep

        from pollctl_shell_query.client.transport import Transport

        path = wsdl or BUNDLED
        self._client: Any
        try:
            self._client = zeep.Client(  # type: ignore[no-untyped-call]  # zeep has no types
                str(path.absolute()), transport=Transport(session), settings=_strict()
            )
            self._binding = self._binding_name()
        except (OSError, ValueError, LookupError, TypeError, zeep.exceptions.Error) as error:
            raise ConfigError(f"[plugins.shell_query] wsdl {str(path)!r} cannot be used: {error}") from error

    def call(self, base: str, token: str, operation: str, /, **arguments: Any) -> requests.Response:
        """Call an operation at an address of the instance *base*; the answer is not read here.

        Raises:
            requests.RequestException: there is none.
        """
        from lxml import etree  # type: ignore[import-untyped]  # lxml has no types

        header = etree.Element(_TOKEN, nsmap={None: "http://exacttarget.com"})
        header.text = token
        service = self._client.create_service(self._binding, f"{base}/Service.asmx")
        response: requests.Response = service[operation](_soapheaders=[header], **arguments)
        return response

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
