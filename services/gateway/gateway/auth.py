"""Who may use the admin API: whoever sends the bearer key."""

from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from gateway.signature import is_same

_bearer = HTTPBearer(auto_error=False, description="The admin key")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class RequireKey:
    """A dependency: 401 without a key, 403 with a wrong one."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key.get_secret_value()

    async def __call__(self, credentials: Credentials) -> None:
        if credentials is None:
            header = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "Send the key as `Authorization: Bearer ...`.", header)
        if not is_same(credentials.credentials, self._key):
            raise HTTPException(403, "This key is not valid.")
