"""Secrets that are known by name, planted in every credential; and an upstream that says all it hears out loud."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from hostile_server import OK, Peer, packed, whole
from msgspec import Struct

Words = Sequence[str]


class Planted(Struct, frozen=True, kw_only=True):
    """The canaries of one plugin.

    Attributes:
        section: of the settings.
        environ: variables that hold secrets.
        commands: what prepares its rows.
        looks: its listings.
        secrets: what may stand nowhere but in the settings and the environment.
        kept: what the database holds on purpose, and in which columns (``table.column``).
    """

    section: str
    environ: Mapping[str, str] = {}
    commands: Sequence[Words] = ()
    looks: Sequence[Words] = ()
    secrets: Sequence[str] = ()
    kept: Mapping[str, Sequence[str]] = {}


def latency(url: str) -> Planted:
    """A login in the address of the API and of a target, the key of jobs kept elsewhere, and the address that alerts go to."""
    login = url.replace("//", "//anna:canary-latency-login@")
    alerts = "json://anna:canary-latency-notify@127.0.0.1:9/canary-latency-path"
    return Planted(
        section=f'[plugins.latency]\nbase_url = "{login}"\nwindow = "0s"\ntimeout = "1s"\n'
        f'[plugins.latency.supabase]\nurl = "{url}"\nkey = "sb_secret_canary-latency-key"\npoller = "pod-1"',
        commands=[
            ("latency", "add", "gateway.example.net", "--cadence", "1s", "--alert-offline", "--notify", alerts),
            ("latency", "add", url.replace("//", "//bert:canary-latency-target@"), "--cadence", "1s"),
        ],
        looks=[("latency", "jobs", "--json"), ("latency", "show", "1"), ("latency", "alerts", "--json")],
        secrets=["canary-latency-login", "canary-latency-key"],
        kept={
            "canary-latency-target": ["latency_jobs.login"],
            "canary-latency-notify": ["latency_notify.url", "outbox_addresses.url"],
            "canary-latency-path": ["latency_notify.url", "outbox_addresses.url"],
        },
    )


def soc_sections(url: str) -> Planted:
    """A login in the address of the API, and the contacts of subscribers."""
    login = url.replace("//", "//anna:canary-soc-login@")
    contact = "json://anna:canary-soc-contact@127.0.0.1:9/canary-soc-path"
    words = ("soc-sections", "subscribe", "01234", "--term", "FA2026", "--campus", "NB", "--contact", contact)
    return Planted(
        section=f'[plugins.soc_sections]\nbase_url = "{login}"\ncampuses = ["NB"]\nmin_poll_gap = "0s"',
        commands=[words],
        looks=[("soc-sections", "subscriptions", "--json"), ("soc-sections", "subscriptions", "--history", "1")],
        secrets=["canary-soc-login"],
        kept={
            "canary-soc-contact": ["soc_subscriptions.contact"],
            "canary-soc-path": ["soc_subscriptions.contact"],
        },
    )


def stockx_ops(url: str) -> Planted:
    """Keys of the application, tokens of a user, tokens that the upstream grants, addresses of the user and of all."""
    section = f"""[plugins.stockx_ops]
base_url = "{url}"
token_url = "{url}/oauth/token"
api_key = {{ env = "CANARY_API_KEY" }}
client_id = "canary-stockx-client"
client_secret = {{ file = "client-secret" }}
notify = ["json://canary-stockx-notify@127.0.0.1:9"]
rate = "1000/s"
poll_delay = "1ms"
rate_limit_delay = "1ms"
"""
    address = "json://anna:canary-stockx-account@127.0.0.1:9"
    connect = ("stockx-ops", "account", "connect", "anna", "--refresh-token-env", "CANARY_REFRESH", "--notify", address)
    tracks = [
        (
            "stockx-ops",
            "track",
            f"op-{number}",
            "--user",
            "anna",
            "--type",
            "create_listing",
            "--listing",
            f"l-{number}",
        )
        for number in range(2)
    ]
    return Planted(
        section=section,
        environ={"CANARY_API_KEY": 'canary-stockx"key&1', "CANARY_REFRESH": "canary-stockx-refresh"},
        commands=[connect, *tracks],
        looks=[
            ("stockx-ops", "account", "list", "--json"),
            ("stockx-ops", "jobs", "--json"),
            ("stockx-ops", "stats", "--json"),
            ("stockx-ops", "history", "--json"),
        ],
        secrets=['canary-stockx"key&1', "canary-stockx-client", "canary-stockx secret+1", "canary-stockx-notify"],
        kept={
            "canary-stockx-refresh": ["stockx_accounts.refresh_token"],
            "canary-granted-access": ["stockx_accounts.access_token"],
            "canary-granted-refresh": ["stockx_accounts.refresh_token"],
            "canary-stockx-account": ["stockx_notify.url", "outbox_addresses.url"],
        },
    )


def shell_query(url: str) -> Planted:
    """Keys of the installed package, and the token that the upstream grants."""
    section = f"""[plugins.shell_query]
auth_url = "{url}"
client_id = "canary-shell-client"
client_secret = {{ env = "CANARY_SHELL" }}
window = "0s"
initial_delay = "100ms"
max_delay = "1s"
"""
    submit = ("shell-query", "submit", "--sql", "SELECT Name FROM Subscribers", "--target", "Names")
    return Planted(
        section=section,
        environ={"CANARY_SHELL": "canary-shell-secret"},
        commands=[submit, submit],
        looks=[("shell-query", "runs", "--json")],
        secrets=["canary-shell-client", "canary-shell-secret"],
        kept={SHELL_TOKEN: ["shell_query_tokens.access_token"]},
    )


def toilet_gap(url: str) -> Planted:
    """A login in the address of the event service, and the keys of the queue, which only the environment has."""
    section = f"""[plugins.toilet_gap]
event_service_url = "{url.replace("//", "//anna:canary-toilet-login@")}"
queue_url = "{url}/123456789012/events"
endpoint_url = "{url}"
deadline = "50s"
[[plugins.toilet_gap.monitors]]
name = "pilot"
robot_id = "r-1"
timezone = "UTC"
start = "00:00"
end = "00:00"
gap = "5m"
"""
    environ = {
        "AWS_ACCESS_KEY_ID": "canary-queue-id",
        "AWS_SECRET_ACCESS_KEY": "canary-queue-secret",
        "AWS_SESSION_TOKEN": "canary-queue-session",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return Planted(
        section=section,
        environ=environ,
        looks=[("toilet-gap", "monitors", "--json"), ("toilet-gap", "checks", "--json")],
        secrets=["canary-toilet-login", "canary-queue-id", "canary-queue-secret", "canary-queue-session"],
    )


PLUGINS: dict[str, Callable[[str], Planted]] = {
    "latency": latency,
    "soc_sections": soc_sections,
    "stockx_ops": stockx_ops,
    "shell_query": shell_query,
    "toilet_gap": toilet_gap,
}
"""A function for each plugin, given the address of the upstream; add one for a new plugin."""


class Parrot:
    """Answers each request with all that it said, in the way that ``fault`` names."""

    def __init__(self) -> None:
        self.fault = "401"
        self.heard = b""

    def __call__(self, peer: Peer) -> None:
        while request := peer.request():
            self.heard += request
            grant = self._grant(request)
            if grant and self.fault not in TOKEN_FAULTS:
                peer.send(whole(json.dumps(grant | {"expires_in": 86_400}).encode(), "Content-Type: application/json"))
                continue
            if b"AmazonSQS" in request and self.fault not in QUEUE_FAULTS:
                peer.send(whole(b"{}", "Content-Type: application/x-amz-json-1.0"))
                continue
            answer = FAULTS.get(self.fault, FAULTS["401"])  # a target stays as it is where all else tries TLS
            if answer is None:
                peer.hang(4)
                return
            peer.send(answer(request))
            if self.fault in ("truncated", "reset", "strange"):
                return

    def _grant(self, request: bytes) -> dict[str, Any]:
        """What a token endpoint grants; nothing where the request asks for something else."""
        if b"POST /oauth/token" in request:
            return {"access_token": "canary-granted-access", "refresh_token": "canary-granted-refresh"}
        if b"/v2/token" in request:
            here = re.search(rb"(?i)\r\nhost: ([^\r]+)", request)
            url = f"http://{here[1].decode() if here else ''}/"
            return {"access_token": SHELL_TOKEN, "soap_instance_url": url, "rest_instance_url": url}
        return {}


SHELL_TOKEN = "canary-granted-shell"
COOKIE = "canary-cookie"
QUEUE_FAULTS = ("401", "500", "json", "time-out")
"""In which the queue answers wrongly too; else it is empty, so that the other upstreams are asked."""
TOKEN_FAULTS = ("token 400", "token 500", "token rubbish", "token time-out")


def _one_line(request: bytes) -> bytes:
    return request.replace(b"\r\n", b" ").replace(b'"', b"'")


def _in_json(request: bytes) -> bytes:
    said = request.decode()
    keys = ("error", "message", "error_description", "operationStatus", "status", "elapsed", "listingId", said)
    return json.dumps(dict.fromkeys(keys, said)).encode()


FAULTS: dict[str, Callable[[bytes], bytes] | None] = {
    "401": lambda said: whole(said, "WWW-Authenticate: Basic", f"Set-Cookie: sid={COOKIE}", status="401 Unauthorized"),
    "403": lambda said: whole(_in_json(said), status="403 Forbidden"),
    "422": lambda said: whole(_in_json(said), status="422 Unprocessable"),
    "429": lambda said: b"HTTP/1.1 429 Slow\r\nRetry-After: " + _one_line(said) + b"\r\nContent-Length: 0\r\n\r\n",
    "500": lambda said: whole(b"<html>" + said, status="500 Oops"),
    "reason": lambda said: b"HTTP/1.1 502 " + _one_line(said) + b"\r\nContent-Length: 0\r\n\r\n",
    "malformed": lambda said: whole(said, f"Set-Cookie: sid={COOKIE}"),
    "json": lambda said: whole(_in_json(said)),
    "list": lambda said: whole(json.dumps([said.decode()]).encode()),
    "redirect": lambda said: (
        b"HTTP/1.1 302 Found\r\nLocation: http://other.example.net/?q="
        + quote(said).encode()
        + b"\r\nContent-Length: 0\r\n\r\n"
    ),
    "bad redirect": lambda said: (
        b"HTTP/1.1 302 Found\r\nLocation: //" + _one_line(said) + b"\r\nContent-Length: 0\r\n\r\n"
    ),
    "truncated": lambda said: OK + b"Content-Length: 100000\r\n\r\n" + said,
    "gzip": lambda said: whole(packed(said)[:-4], "Content-Encoding: gzip"),
    "strange": lambda said: _one_line(said) + b"\r\n\r\n",
    "header": lambda said: OK + _one_line(said) + b"\r\n\r\n",
    "time-out": None,
    "token 400": lambda said: whole(_in_json(said), status="400 Bad Request"),
    "token 500": lambda said: whole(said, status="500 Oops"),
    "token rubbish": lambda said: whole(json.dumps({"access_token": said.decode()}).encode()),
    "token time-out": None,
}
