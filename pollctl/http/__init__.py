"""The one way out over HTTP: total time limit, size limit, redirects, rate, redaction; errors are answers.

Built on the connections of urllib3; docs/decisions/0002-http.md says why. What talks to the network is imported with the
first exchange.
"""

from __future__ import annotations

from pollctl.http.client import Client as Client
from pollctl.http.limits import Limits as Limits
from pollctl.http.strict import strict_json as strict_json
from pollctl.http.waiting import retry_after as retry_after
from pollctl.redaction import redact as redact

__all__ = ["Client", "Limits", "redact", "retry_after", "strict_json"]
