"""What the tests of toilet_gap share."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import botocore.session
import pytest
from plugins.toilet_gap.place import Place
from plugins.toilet_gap.sqs_server import AWS, Queue, moto_server

from pollctl_toilet_gap.fake import FakeEventService


@pytest.fixture(scope="session", autouse=True)
def _models_of_sqs_are_read_once() -> Iterator[None]:
    """As boto3 does within one session; a pass opens one of its own, which takes 80 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place with one monitor and no queue: the history alone is read."""
    with FakeEventService() as service:
        yield Place(tmp_path, service, monkeypatch)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of moto's server, which speaks the protocol of SQS."""
    with moto_server() as url:
        yield url


@pytest.fixture
def queue(moto_url: str) -> Queue:
    return Queue(moto_url, f"q-{uuid4()}")


@pytest.fixture
def queued(place: Place, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place whose visits come through a queue, too."""
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    place.queue = queue
    place.service.push = queue.push
    place.configure(queue_url=queue.url, endpoint_url=queue.endpoint_url, queue_wait="0s")
    return place


@pytest.fixture(params=["history", "queue"])
def either(request: pytest.FixtureRequest) -> Place:
    """A place whose visits come through the history alone, or through a queue, too."""
    found = request.getfixturevalue("place" if request.param == "history" else "queued")
    assert isinstance(found, Place)
    return found
