"""The users who log in, and the calendar users, who do not."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from telealarm.errors import Conflict, Invalid
from telealarm.models import CalendarSetting, CalendarUser, CalendarUserProfile, User
from telealarm.store.access import passwords, tokens
from telealarm.store.engine import crud, read_cache
from telealarm.store.engine.prepared import Given, Prepared

_EMPTY = "it is empty; write one line with it to standard input"
_SHORT = f"must have at least {passwords.SHORTEST} characters"

_BY_NAME = Prepared(
    User, lambda: User.select().where(User.username == Given("username", User.username))
)


def by_name(username: str) -> User | None:
    """Return the user with this name, active or not."""
    return next(iter(_BY_NAME.rows(username=username)), None)


def named(username: str) -> User:
    """Return the user with this name. Raises Invalid if there is none."""
    user = by_name(username)
    if user is None:
        raise Invalid({"user": [f"there is no user {username!r}; `telealarm user add` makes one"]})
    return user


def by_id_or_name(text: str) -> User | None:
    """Return the user with this name, else with this id."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return by_name(text) or User.get_or_none(User.id == number)


def add_user(username: str, password: str, *, is_superuser: bool) -> User:
    """Create a login. Raises Invalid for a bad or used name, and for a short password."""
    wrong = {}
    if not re.fullmatch(r"[\w.@+-]{1,150}", username):
        wrong["username"] = [f"{username!r} is no name: up to 150 letters, digits and . @ + - _"]
    if fault := _fault(password):
        wrong["password"] = [fault]
    if wrong:
        raise Invalid(wrong)
    values = {"username": username, "password_hash": passwords.hashed(password)}
    return crud.insert(User, {**values, "is_superuser": is_superuser})


def users() -> list[User]:
    """Return all logins, active or not."""
    return list(User.select().order_by(User.username))


def set_password(user: User, password: str, now: datetime, *, keep_tokens: bool) -> int:
    """Replace the password. Return how many tokens were revoked. Raises Invalid if it is short."""
    if fault := _fault(password):
        raise Invalid({"password": [fault]})
    crud.change(user, {"password_hash": passwords.hashed(password)})
    return 0 if keep_tokens else tokens.revoke_all(user, now)


def _fault(password: str) -> str | None:
    """Return what is wrong with a new password."""
    if not password:
        return _EMPTY
    return _SHORT if len(password) < passwords.SHORTEST else None


def set_active(user: User, *, active: bool) -> None:
    """Allow or refuse the login, with its password and with its tokens."""
    crud.change(user, {"is_active": active})


def remove_unused(user: User) -> None:
    """Delete a login. Raises Conflict if it owns something."""
    try:
        crud.remove(user)
    except Conflict as error:
        raise Conflict(
            f"{error} `telealarm user disable {user.username}` lets nobody in."
        ) from None


def change_user(
    login: User, user: User, values: Mapping[str, Any], now: datetime, *, keep_tokens: bool
) -> None:
    """Edit a login. A new password revokes its tokens, unless they are kept.

    Raises Conflict if superusers would lock themselves out.
    """
    stays = values.get("is_superuser", True) and values.get("is_active", True)
    if user.id == login.id and not stays:
        raise Conflict("You cannot take your own rights away; let another superuser do it.")
    crud.change(user, values)
    if "password_hash" in values and not keep_tokens:
        tokens.revoke_all(user, now)


def remove_user(login: User, user: User) -> None:
    """Delete a login that owns nothing. Raises Conflict."""
    if user.id == login.id:
        raise Conflict("You cannot delete yourself; let another superuser do it.")
    crud.remove(user)


def add_calendar_user(owner_id: int, values: Mapping[str, Any]) -> CalendarUser:
    """Create a calendar user, and a profile with the owner's first calendar setting."""
    user = crud.insert(CalendarUser, {**values, "owner": owner_id})
    setting = (
        CalendarSetting.select()
        .where(CalendarSetting.owner == owner_id)
        .order_by(CalendarSetting.id)
        .get_or_none()
    )
    CalendarUserProfile.create(user=user, owner=owner_id, calendar_setting=setting)
    return user


def remove_calendar_user(user: CalendarUser, now: datetime) -> None:
    """Delete a calendar user without calendars and events. Raises Conflict with the reason.

    If a call log refers to the user, the row stays and is hidden, and its name is free again: it
    starts with a space, as no client can write it.
    """
    crud.check_unused(user, but_hidden=True)
    if crud.is_used(user):
        CalendarUserProfile.delete().where(CalendarUserProfile.user == user.id).execute()
        crud.change(user, {"deleted": now, "username": f" deleted {user.id}", "email": ""})
    else:
        crud.remove(user)


def empty_profile(profile: CalendarUserProfile) -> None:
    """Reset a profile to its defaults: a calendar user always has a profile."""
    kept = {"id", "user", "owner", "created_date", "updated_date"}
    blank = CalendarUserProfile()
    names = [name for name in CalendarUserProfile._meta.fields if name not in kept]
    crud.change(profile, {name: getattr(blank, name) for name in names})


def setting_of(user: CalendarUser) -> CalendarSetting:
    """Return the setting for a calendar user's calls. Raises Invalid on `event` with what to do."""
    profile = read_cache.profile_of(user.id)
    if profile is None or profile.calendar_setting is None:
        raise Invalid(
            {
                "event": [
                    f"the calendar user {user.username} has no calendar setting, so no gateway and"
                    f" no survey; set calendar_setting in calendar-user-profile/{user.id}/"
                ]
            }
        )
    return profile.calendar_setting
