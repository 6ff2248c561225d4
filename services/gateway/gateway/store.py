from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

from common.database import Database
from common.ids import new_id
from gateway.models import AuditEntry


class AuditLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, at: datetime, actor: str, action: str, target: UUID) -> None:
        """Before the action: an action that cannot be recorded is not done."""
        async with self._database.transaction() as transaction:
            await transaction.connection.execute(
                insert(AuditEntry).values(
                    id=new_id(), at=at, actor=actor, action=action, target=target
                )
            )
