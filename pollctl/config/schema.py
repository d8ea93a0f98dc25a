"""The settings that every pollctl has, as frozen values; each default here is the built-in one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from pollctl.addresses import split_addresses
from pollctl.redaction import Secret
from pollctl.schedule.model import Timing
from pollctl.units import Duration, PositiveDuration, PositiveSize


class Common(Struct, frozen=True, kw_only=True):
    """What a plugin's section may say and ``[pollctl]`` may say for all.

    Attributes:
        schedule: cron expression: five fields, six with seconds first, or an alias such as ``@hourly``; several joined by ``|``.
        timezone: the zone in which the schedule is meant.
        jitter: each slot is delayed by up to this much.
        catch_up: whether missed slots fold into one pass or are let go when older than ``max_lateness``.
        backoff: wait after a failed pass, doubled per further failure up to ``backoff_max``; zero: none.
        deadline: length of a pass after which no new request starts.
        window: how long a plugin that polls faster than cron goes on; never more than the deadline.
        record: which passes keep what ``decide`` was given.
        idle_max: how long a plugin that has nothing to do may go without a pass; zero: not at all.
    """

    schedule: str = "* * * * *"
    timezone: ZoneInfo = ZoneInfo("UTC")
    jitter: Duration = Duration()
    catch_up: Literal["once", "skip"] = "once"
    max_lateness: PositiveDuration = PositiveDuration(minutes=5)
    backoff: Duration = Duration(minutes=1)
    backoff_max: PositiveDuration = PositiveDuration(hours=1)
    deadline: PositiveDuration = PositiveDuration(seconds=50)
    window: Duration = Duration()
    record: Literal["off", "failures", "all"] = "failures"
    idle_max: Duration = Duration(minutes=5)


class PluginConfig(Common, frozen=True, kw_only=True):
    """What the core needs to know of one plugin; readable without importing it.

    ``healthcheck`` is the address of a dead man's switch for this plugin alone.
    """

    enabled: bool = True
    healthcheck: Secret = Secret("")

    @property
    def timing(self) -> Timing:
        """The part that says when the plugin is due."""
        return Timing(
            expression=self.schedule,
            timezone=self.timezone.key,
            jitter=self.jitter,
            catch_up=self.catch_up,
            max_lateness=self.max_lateness,
            backoff=self.backoff,
            backoff_max=self.backoff_max,
        )


Engine = Literal["auto", "python", "curl"]
"""What makes GETs and HEADs side by side; ``auto`` is libcurl where the extra ``curl`` is installed."""


class HttpHost(Struct, frozen=True, kw_only=True):
    """``[pollctl.http.hosts."NAME"]``: what holds for one host in place of the same keys of ``[pollctl.http]``.

    NAME is ``api.example.net``, for every port of it, or ``api.example.net:8443``. Without ``client_cert``
    the host is shown none.
    """

    client_cert: Path | None = None
    client_key: Path | None = None

    def __post_init__(self) -> None:
        _refuse_lone_key(self)


class Http(Struct, frozen=True, kw_only=True):
    """``[pollctl.http]``: limits of every exchange; ``timeout`` is total, ``max_body`` counts decoded bytes.

    ``trust_env`` lets ``.netrc`` and the proxy variables count. ``client_cert`` is shown to every host that asks for
    one and has no entry in ``hosts``. ``engine`` makes what ``run.get_many`` asks with GET and HEAD: ``curl`` needs the
    extra of that name, ``auto`` takes it where it is installed.
    """

    timeout: PositiveDuration = PositiveDuration(seconds=10)
    max_body: PositiveSize = PositiveSize(32 * 1024**2)
    ca_file: Path | None = None
    trust_env: bool = False
    user_agent: Annotated[str, Meta(pattern=r"\A[ -~]+\Z", description="printable ASCII text")] = "pollctl"
    client_cert: Path | None = None
    client_key: Path | None = None
    engine: Engine = "auto"
    hosts: Mapping[str, HttpHost] = {}

    def __post_init__(self) -> None:
        _refuse_lone_key(self)
        _refuse_wrong_names(self.hosts)


def _refuse_lone_key(table: Http | HttpHost) -> None:
    if table.client_key and not table.client_cert:
        raise ValueError("client_key without client_cert: name the certificate that the key belongs to")


def _refuse_wrong_names(hosts: Mapping[str, HttpHost]) -> None:
    from pollctl.config.messages import shown
    from pollctl.urls import named_host

    seen: dict[str, str] = {}
    for name in hosts:
        try:
            host = named_host(name)
        except ValueError as error:
            text = f'hosts: found {shown(name)}; allowed a host, such as "api.example.net" or "api.example.net:8443" ({error})'
            raise ValueError(text) from error
        if host in seen:
            raise ValueError(f"hosts: {shown(name)} is the same host as {shown(seen[host])}; keep one of the two")
        seen[host] = name


class Outbox(Struct, frozen=True, kw_only=True):
    """``[pollctl.outbox]``: tries of a delivery; ``backoff`` doubles per attempt up to ``backoff_max``.

    Sixty attempts at most an hour apart take more than two days: a night without a network loses nothing.
    """

    max_attempts: Annotated[int, Meta(ge=1)] = 60
    backoff: Duration = Duration(minutes=1)
    backoff_max: PositiveDuration = PositiveDuration(hours=1)


class Notify(Struct, frozen=True, kw_only=True):
    """``[pollctl.notify]``: addresses notified after ``alert_after`` failed passes in a row, and on recovery."""

    urls: tuple[Secret, ...] = ()
    alert_after: Annotated[int, Meta(ge=1)] = 3
    renotify_every: PositiveDuration = PositiveDuration(hours=6)

    def __post_init__(self) -> None:
        force_setattr(self, "urls", tuple(split_addresses(self.urls)))


class Healthcheck(Struct, frozen=True, kw_only=True):
    """``[pollctl.healthcheck]``: a dead man's switch; its address is secret: who knows it can silence it.

    With ``start`` it is pinged before passes as well, at the address with ``/start``. ``method`` is that of the requests; a
    GET has no text, but an address whose query has ``status`` (Uptime Kuma) gets ``up`` or ``down`` there, and the text in
    ``msg``.
    """

    url: Secret = Secret("")
    start: bool = False
    method: Literal["POST", "GET"] = "POST"


class Retention(Struct, frozen=True, kw_only=True):
    """``[pollctl.retention]``: how long rows are kept; ``effects`` means settled ones, delivered or dead.

    ``runs`` holds for what is kept of answers, too: whether they have changed is asked by it.
    """

    runs: PositiveDuration = PositiveDuration(days=90)
    recordings: PositiveDuration = PositiveDuration(days=30)
    effects: PositiveDuration = PositiveDuration(days=30)


class Fanout(Struct, frozen=True, kw_only=True):
    """``[pollctl.fanout]``: who makes those GETs and HEADs of ``run.get_many`` that may be made elsewhere.

    ``engine``: ``dask`` needs the extra of that name.

    ``address`` is that of the scheduler: ``tls://``, with ``ca_file``, ``cert`` and ``key``, or ``tcp://``
    on this machine, because whoever reaches a scheduler runs code on it. A worker has ``chunk`` requests in hand at most.
    ``fallback`` says what becomes of requests that nobody there can make: they are made from here, or the pass fails.
    """

    engine: Literal["local", "dask"] = "local"
    address: str = ""
    ca_file: Path | None = None
    cert: Path | None = None
    key: Secret = Secret("")
    chunk: Annotated[int, Meta(ge=1, le=10_000)] = 250
    fallback: Literal["local", "fail"] = "local"

    def __post_init__(self) -> None:
        if self.engine != "local":
            _refuse_open_scheduler(self)


def _refuse_open_scheduler(fanout: Fanout) -> None:
    from urllib.parse import urlsplit

    from pollctl.config.messages import shown
    from pollctl.urls import is_loopback

    try:
        parts = urlsplit(fanout.address)
        is_whole = bool(parts.hostname and parts.port) and not (parts.path or parts.query or "@" in parts.netloc)
    except ValueError:
        is_whole = False
    if not is_whole or parts.scheme not in ("tls", "tcp"):
        text = 'allowed the scheduler, such as "tls://scheduler.example:8786" or "tcp://127.0.0.1:8786"'
        raise ValueError(f"address: found {shown(fanout.address)}; {text}")
    if parts.scheme == "tcp" and not is_loopback(parts.hostname or ""):
        text = "tcp:// is for this machine alone, as whoever reaches a scheduler runs code on it: write tls://"
        raise ValueError(f"address: found {shown(fanout.address)}; {text}, with ca_file, cert and key")
    if parts.scheme == "tls" and not (fanout.ca_file and fanout.cert and fanout.key):
        raise ValueError("address: tls:// needs ca_file, cert and key: scheduler and workers know pollctl by them")


class Core(Common, frozen=True, kw_only=True):
    """``[pollctl]``, all of it; ``grace`` is the time between the deadline of a pass and its being killed.

    ``host_id`` takes the place of the machine's name in what ``H`` and ``jitter`` are spread by. ``log_format`` is how stderr
    is written; with ``json`` the events of passes are written there too.
    """

    database: Path
    grace: Duration = Duration(seconds=5)
    host_id: str = ""
    plugins_dir: Path | None = None
    log_format: Literal["text", "json"] = "text"
    http: Http = Http()
    outbox: Outbox = Outbox()
    notify: Notify = Notify()
    healthcheck: Healthcheck = Healthcheck()
    retention: Retention = Retention()
    fanout: Fanout = Fanout()
