"""What is asked about an operation."""

from __future__ import annotations

import pytest

from pollctl import Secret
from pollctl_stockx_ops.client.requests import operation_request
from pollctl_stockx_ops.model import DueJob, Login, Settings

V2 = Settings(api_key=Secret("the-api-key"))
OPERATIONS = Settings(dialect="operations", api_key=Secret("the-api-key"))
JOB = DueJob("j1", 1, "anna", "op/1", "L 1", "2026")
LOGIN = Login("anna", 3, Secret("acc-token"), Secret("ref-token"), None)


def test_each_dialect_asks_its_own_address_with_both_credentials() -> None:
    job = JOB._replace(listing_id="L/1")
    asked = operation_request(job, LOGIN, V2)
    assert asked.url == "https://api.stockx.com/v2/selling/listings/L%2F1/operations/op%2F1"
    assert (asked.headers["x-api-key"], asked.headers["Authorization"]) == ("the-api-key", "Bearer acc-token")
    assert operation_request(job, LOGIN, OPERATIONS).url == "https://api.stockx.com/v2/operations/op%2F1"


@pytest.mark.parametrize("bad", ["", ".", "..", "a b", "a\nb", "é", "x" * 201])
def test_an_id_that_would_lead_elsewhere_is_not_asked_about(bad: str) -> None:
    with pytest.raises(ValueError, match="cannot be asked about"):
        operation_request(JOB._replace(operation_id=bad), LOGIN, OPERATIONS)
