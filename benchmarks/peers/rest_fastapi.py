"""Peer of benchmarks.rest_create: FastAPI and SQLAlchemy's ORM in FastAPI's threads, one uvicorn.

Usage: python -m benchmarks.peers.rest_fastapi PORT sqlite:///FILE|postgresql://...
"""

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, Field
from sqlalchemy import JSON, ForeignKey, Index, String, create_engine
from sqlalchemy import event as sa_event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

port, where = int(sys.argv[1]), sys.argv[2].replace("postgresql:", "postgresql+psycopg:")
engine = create_engine(
    where, pool_size=10, max_overflow=30, connect_args={"timeout": 30} if "sqlite" in where else {}
)
if "sqlite" in where:

    @sa_event.listens_for(engine, "connect")
    def pragmas(connection: Any, _: Any) -> None:
        for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=1"):
            connection.execute(f"PRAGMA {pragma}")


Sessions = sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Event(Base):
    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    start: Mapped[datetime]
    end: Mapped[datetime]
    calendar: Mapped[str]
    creator: Mapped[str]
    status: Mapped[int]
    data: Mapped[dict] = mapped_column(JSON)
    __table_args__ = (Index("e1", "owner", "id"), Index("e2", "start"))


class Alarm(Base):
    __tablename__ = "alarm"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[int]
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    number: Mapped[str] = mapped_column(String(50))
    method: Mapped[int]
    advance_notice: Mapped[int]
    maxretry: Mapped[int]
    retry_delay: Mapped[int]
    due: Mapped[datetime]
    status: Mapped[int] = mapped_column(default=1)
    __table_args__ = (Index("a1", "owner", "id"), Index("a2", "status", "due"))


class EventIn(BaseModel):
    title: str = Field(max_length=200)
    start: datetime
    end: datetime
    calendar: str
    creator: str
    status: int = 1
    data: dict = {}


class EventOut(EventIn):
    url: str


class AlarmIn(BaseModel):
    event: str
    alarm_phonenumber: str = Field(max_length=50)
    method: int = 1
    advance_notice: int = 0
    maxretry: int = 0
    retry_delay: int = 0


class AlarmOut(AlarmIn):
    url: str


Base.metadata.create_all(engine)
app = FastAPI()
basic = HTTPBasic()


def session() -> Iterator[Session]:
    with Sessions() as opened:
        yield opened


Database = Annotated[Session, Depends(session)]
Login = Annotated[HTTPBasicCredentials, Depends(basic)]


@app.get("/healthz")
def health() -> dict[str, str]:
    return {}


@app.post("/event/", status_code=201, response_model=EventOut)
def event(
    body: EventIn, request: Request, response: Response, db: Database, login: Login
) -> dict[str, Any]:
    row = Event(owner=1, **body.model_dump())
    db.add(row)
    db.commit()
    url = f"{request.base_url}event/{row.id}/"
    response.headers["Location"] = url
    return {**body.model_dump(), "url": url}


@app.post("/alarm/", status_code=201, response_model=AlarmOut)
def alarm(
    body: AlarmIn, request: Request, response: Response, db: Database, login: Login
) -> dict[str, Any]:
    parent = db.get(Event, int(body.event.rstrip("/").rsplit("/", 1)[1]))
    if parent is None or parent.owner != 1:
        raise HTTPException(404)
    row = Alarm(
        owner=1,
        event_id=parent.id,
        number=body.alarm_phonenumber,
        method=body.method,
        advance_notice=body.advance_notice,
        maxretry=body.maxretry,
        retry_delay=body.retry_delay,
        due=parent.start,
    )
    db.add(row)
    db.commit()
    url = f"{request.base_url}alarm/{row.id}/"
    response.headers["Location"] = url
    return {**body.model_dump(), "url": url}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
