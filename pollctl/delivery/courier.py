"""Messages on their way to people: whom one is for is looked up at the last moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from pollctl.api.values import Attachment, Drop, Effect, NotNow
from pollctl.delivery.effects import NotNowError
from pollctl.delivery.messages import DROPPED, NO_ADDRESS, SENT, Message, message_of
from pollctl.errors import DeliveryError
from pollctl.redaction import Secret, address_digest

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.config.schema import Http

LastLook = Callable[["Database", Effect], NotNow | Drop | None]


class Courier:
    """Delivers messages.

    Args:
        http: settings that hold for it as for passes.
        common: the addresses of ``[pollctl.notify]``.
    """

    def __init__(self, http: Http, common: Sequence[Secret]) -> None:
        self._http = http
        self._common = common

    def deliver(self, db: Database, effect: Effect, *, timeout: float, last_look: LastLook | None = None) -> str:
        """Send one message, and answer what became of it; *last_look* may have it rest or drop it.

        Raises:
            DeliveryError: the service did not take it; permanent when nobody knows the address any more, or not
                all that goes along is kept.
            NotNowError: it is to rest.
        """
        from pollctl.delivery.channel import send

        try:
            message = message_of(effect)
        except msgspec.ValidationError as error:
            raise DeliveryError(f"it is not a message: {error}", permanent=True) from error
        if message.address is None:
            return NO_ADDRESS
        url = self._url(db, effect.id, message)
        match last_look(db, effect) if last_look else None:
            case NotNow(until=until, why=why):
                raise NotNowError(until, why)
            case Drop(why=why):
                return f"{DROPPED}{why}"
        send(url, message, _enclosed(db, effect.id, message), key=effect.key, timeout=timeout, http=self._http)
        return SENT

    def _url(self, db: Database, effect_id: int, message: Message) -> str:
        """The address beside the effect; else the one of the settings that it names."""
        row = db.conn.execute("SELECT url FROM outbox_addresses WHERE effect_id=?", (effect_id,)).fetchone()
        if row:
            return str(row[0])
        for url in self._common:
            if address_digest(url.reveal()) == message.address:
                return url.reveal()
        raise DeliveryError(
            "its address is not known any more: it was neither kept nor is it in the settings", permanent=True
        )


def _enclosed(db: Database, effect_id: int, message: Message) -> list[Attachment]:
    """What goes along from memory: all that the message says."""
    query = "SELECT name, content, type FROM outbox_attachments WHERE effect_id=? ORDER BY number"
    found = [Attachment(*row) for row in db.conn.execute(query, (effect_id,))]
    if len(found) < len(message.enclosed):
        raise DeliveryError("what goes along with it is not kept any more", permanent=True)
    return found
