"""The XML that the fake upstream answers with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from xml.sax.saxutils import escape

from pollctl_shell_query.fake.objects import StoredDefinition

NAMESPACE = "http://exacttarget.com/wsdl/partnerAPI"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"


def envelope(inner: str) -> bytes:
    """A SOAP envelope around the content of its body."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{ENVELOPE}" xmlns:xsi="{SCHEMA}">'
        f"<soap:Body>{inner}</soap:Body></soap:Envelope>"
    ).encode()


def fault(code: str, message: str) -> bytes:
    """A SOAP fault."""
    return envelope(
        f'<soap:Fault xmlns:q0="http://docs.oasis-open.org/wss"><faultcode>{code}</faultcode>'
        f"<faultstring>{escape(message)}</faultstring></soap:Fault>"
    )


def created(status: str, message: str, object_id: str = "") -> bytes:
    """The answer to a Create."""
    return envelope(
        f'<CreateResponse xmlns="{NAMESPACE}"><Results><StatusCode>{status}</StatusCode>'
        f"<StatusMessage>{escape(message)}</StatusMessage><OrdinalID>0</OrdinalID><NewID>0</NewID>"
        f"{f'<NewObjectID>{object_id}</NewObjectID>' if object_id else ''}</Results>"
        f"<RequestID>r</RequestID><OverallStatus>{status}</OverallStatus></CreateResponse>"
    )


def performed(status: str, message: str, task_id: str = "") -> bytes:
    """The answer to a Perform."""
    task = f"<Task><StatusCode>{status}</StatusCode><StatusMessage/>{f'<ID>{task_id}</ID>' if task_id else ''}</Task>"
    return envelope(
        f'<PerformResponseMsg xmlns="{NAMESPACE}"><Results><Result><StatusCode>{status}</StatusCode>'
        f"<StatusMessage>{escape(message)}</StatusMessage><Object/>{task}</Result></Results>"
        f"<OverallStatus>{status}</OverallStatus><OverallStatusMessage/><RequestID>r</RequestID></PerformResponseMsg>"
    )


def deleted(status: str, message: str) -> bytes:
    """The answer to a Delete."""
    return envelope(
        f'<DeleteResponse xmlns="{NAMESPACE}"><Results><StatusCode>{status}</StatusCode>'
        f"<StatusMessage>{escape(message)}</StatusMessage></Results><OverallStatus>{status}</OverallStatus></DeleteResponse>"
    )


def retrieved(results: Iterable[str], overall: str = "OK") -> bytes:
    """The answer to a Retrieve."""
    return envelope(
        f'<RetrieveResponseMsg xmlns="{NAMESPACE}"><OverallStatus>{escape(overall)}</OverallStatus>'
        f"<RequestID>r</RequestID>{''.join(results)}</RetrieveResponseMsg>"
    )


def statuses(found: Sequence[Mapping[str, str]], *, kind: str = "ObjectExtension", overall: str = "OK") -> bytes:
    """Statuses of tasks."""
    return retrieved(
        (
            f'<Results xsi:type="{kind}"><PartnerKey xsi:nil="true"/><ObjectID xsi:nil="true"/><Type>AsyncActivityStatus</Type>'
            "<Properties>"
            + "".join(
                f"<Property><Name>{name}</Name><Value>{escape(value)}</Value></Property>"
                for name, value in values.items()
                if value
            )
            + "</Properties></Results>"
            for values in found
        ),
        overall,
    )


def definitions(found: Iterable[StoredDefinition]) -> bytes:
    """Query definitions; their moments are written without a zone, as this upstream does."""
    return retrieved(
        f'<Results xsi:type="QueryDefinition"><PartnerKey xsi:nil="true"/>'
        f"<CreatedDate>{(one.created_at - timedelta(hours=6)).replace(tzinfo=None).isoformat()}</CreatedDate>"
        f"<ObjectID>{one.object_id}</ObjectID><CustomerKey>{escape(one.customer_key)}</CustomerKey>"
        f"<Status>{'Active' if one.is_active else 'Inactive'}</Status></Results>"
        for one in found
    )


def targets(keys: Iterable[str]) -> bytes:
    """Data extensions."""
    return retrieved(
        f'<Results xsi:type="DataExtension"><PartnerKey xsi:nil="true"/><ObjectID>de</ObjectID>'
        f"<CustomerKey>{escape(key)}</CustomerKey></Results>"
        for key in keys
    )
