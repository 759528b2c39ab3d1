"""Writing a row whether it is there or not, in one statement: two who write the same row at once both succeed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.base.database import Base


def put(session: Session, model: type[Base], key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Write a row with this primary key, or change these columns of it. A copy the session holds is read anew."""
    # The two dialects spell the same statement and share no class.
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(model).values({**key, **values})
    session.flush()
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
    primary = tuple(key[column.name] for column in inspect(model).primary_key)
    held = session.identity_map.get(session.identity_key(model, primary))
    if held is not None:
        session.expire(held)
