"""Short reads for other services."""

from common.database import Database
from common.errors import CommandRefused
from common.events import GetUser, ListMerges, ListUsers, MergePage, UserPage, UserView
from users.store import Store

PAGE_LIMIT = 200


async def get_user(query: GetUser, database: Database) -> UserView:
    async with database.transaction() as transaction:
        person = await Store(transaction).view(query.user_id)
    if person is None:
        raise CommandRefused("user_not_found", "nobody has this id")
    return person.view


async def list_users(query: ListUsers, database: Database) -> UserPage:
    limit = min(max(query.limit, 1), PAGE_LIMIT)
    async with database.transaction() as transaction:
        people = await Store(transaction).page(query.state, query.after, limit + 1)
    shown = people[:limit]
    return UserPage(
        items=tuple(person.view for person in shown),
        next_after=shown[-1].id if len(people) > limit else None,
    )


async def list_merges(query: ListMerges, database: Database) -> MergePage:
    limit = min(max(query.limit, 1), PAGE_LIMIT)
    async with database.transaction() as transaction:
        merges = await Store(transaction).merges.page(limit)
    return MergePage(items=tuple(merge.view for merge in merges))
