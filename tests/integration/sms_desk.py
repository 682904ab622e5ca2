"""A clinic whose alarms by SMS and mail are sent and answered."""

from collections import Counter
from datetime import timedelta
from typing import Any

from telealarm.clock import utcnow
from telealarm.config.model import ApiConfig, Config, SmtpConfig
from telealarm.models import Message
from telealarm.planning.planner import Planner
from telealarm.store.dialing import workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.engine.claim import Holder
from telealarm.store.messages.compose import Composer
from telealarm.store.messaging import claim
from telealarm.store.messaging import result as messaging_result
from tests.integration.api_client import Api, Reply, clinic, gateways, id_of

NUMBER = "+34600100200"


class Desk:
    """A clinic whose alarms by SMS and mail are taken as soon as they are due."""

    def __init__(self, api: Api, holder: Holder, gateway: dict[str, Any], calendar: str) -> None:
        self.api, self.holder, self.gateway, self.calendar = api, holder, gateway, calendar
        self.inbound, self.report = gateway["inbound_url"], gateway["report_url"]

    async def remind(self, title: str = "Visit", **alarm: Any) -> str:
        """An alarm that was sent; its link."""
        start = (utcnow() + timedelta(hours=5)).isoformat()
        event = await self.api.made(
            "event/",
            {
                "title": title,
                "calendar": self.calendar,
                "start": start,
                "end": (utcnow() + timedelta(hours=6)).isoformat(),
            },
        )
        body = {"alarm_phonenumber": NUMBER, "method": 2, "advance_notice": 5 * 3600, **alarm}
        made = await self.api.made("alarm/", {"event": event["url"], **body})
        await self.send()
        link: str = made["url"]
        return link

    async def send(self) -> list[Message]:
        """Whatever is due is taken by the gateway; what that was."""
        await Planner(self.api.db).step()
        config = Config(
            api=ApiConfig(public_url=self.api.origin),
            smtp=SmtpConfig(host="mail.clinic.example", sender="desk@clinic.example"),
        )
        admission = Admission(self.holder, Composer(config))
        await self.api.db.write(admission.claim, utcnow(), 50)
        sent: list[Message] = []
        while taken := (
            await self.api.db.write(claim.take, self.holder, utcnow(), 50, Counter())
        ).messages:
            for message in taken:
                await self.api.db.write(
                    messaging_result.taken, message, f"ref-{message.id}", "ok", utcnow()
                )
            sent += taken
        return sent

    async def reply(self, text: str, *, id: str, sender: str = NUMBER) -> Reply:
        body = {"from": sender, "text": text, "id": id}
        return await self.api.post(self.inbound, body, user=None)

    async def result(self, link: str) -> int:
        found: int = (await self.api.get(link)).body["result"]
        return found


async def open_desk(api: Api) -> Desk:
    """Set up the clinic."""
    await gateways(api)
    book = await clinic(api)
    row = (await api.get("sms-gateway/", user="root")).body["results"][0]
    await api.patch(book.setting, {"sms_gateway": row["url"]})
    await api.patch(
        f"calendar-user-profile/{id_of(book.user)}/", {"calendar_setting": book.setting}
    )
    holder = await api.db.write(workers.enter, "w", utcnow(), timedelta(seconds=60))
    return Desk(api, holder, row, book.calendar)
