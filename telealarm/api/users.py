"""users/: who logs in. For superusers."""

from typing import Annotated, Any

from telealarm.api.forms import Form
from telealarm.api.numbers import Flag
from telealarm.api.resource import Resource, Values, insert_into
from telealarm.api.texts import Secret, Word
from telealarm.api.visit import Visit, stamp
from telealarm.models import User
from telealarm.store import accounts


class UserForm(Form):
    username: Annotated[
        str,
        Word(150, 1, pattern=r"[\w.@+-]+", right="may hold letters, digits and . @ + - _ alone"),
    ]
    password: Annotated[str | None, Secret()] = None
    is_superuser: Annotated[bool, Flag()] = False
    is_active: Annotated[bool, Flag()] = True


def show(visit: Visit, row: Any) -> dict[str, Any]:
    return {
        "url": visit.links.to("users", row.id),
        "id": row.id,
        "username": row.username,
        "is_superuser": row.is_superuser,
        "is_active": row.is_active,
        "created_date": stamp(row.created),
    }


def change(visit: Visit, row: Any, values: Values) -> None:
    accounts.change_user(visit.login, row, values)


def delete(visit: Visit, row: Any) -> None:
    accounts.remove_user(visit.login, row)


USERS = Resource(
    name="users",
    model=User,
    show=show,
    form=UserForm,
    read_only=frozenset({"url", "id", "created_date"}),
    filters={"username": User.username},
    create=insert_into(User, owned=False),
    change=change,
    delete=delete,
    superusers="everything",
)
