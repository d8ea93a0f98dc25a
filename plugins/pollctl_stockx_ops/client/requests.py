"""The request that asks about an operation."""

from __future__ import annotations

from urllib.parse import quote

from pollctl import Request
from pollctl_stockx_ops.client.fields import id_problem
from pollctl_stockx_ops.model import DueJob, Login, Settings


def operation_request(job: DueJob, login: Login, settings: Settings) -> Request:
    """The request that asks about a job's operation.

    Raises:
        ValueError: an id of the job cannot be part of an address.
    """
    ids = {"operation id": job.operation_id}
    path = "v2/operations/{operation id}"
    if settings.dialect == "v2":
        ids["listing id"] = job.listing_id or ""
        path = "v2/selling/listings/{listing id}/operations/{operation id}"
    for name, value in ids.items():
        if problem := id_problem(value):
            raise ValueError(f"its {name} {value!r} cannot be asked about: {problem}")
    path = path.format_map({name: quote(value, safe="") for name, value in ids.items()})
    token = login.access_token.reveal() if login.access_token else ""
    headers = {"x-api-key": settings.api_key.reveal(), "Authorization": f"Bearer {token}", "Accept": "application/json"}
    # A repeat by the HTTP client would be a second request at once, whatever the rate.
    return Request(url=f"{settings.base_url.rstrip('/')}/{path}", headers=headers, follow=False, repeat=False)
