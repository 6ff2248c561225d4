"""The errors that the consumer loop knows how to treat: the policy is carried by the error."""

from datetime import timedelta


class SabatinaError(Exception):
    """A message that raises this is dead-lettered at once: trying again cannot help."""

    retryable = False
    retry_after: timedelta | None = None


class RetryableError(SabatinaError):
    """Worth trying again after a pause; dead-lettered after the consumer's limit of attempts."""

    retryable = True

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DependencyUnavailable(RetryableError):
    """A server that we own is away: the message waits for as long as it takes."""


class CommandRefused(SabatinaError):
    """The command was understood and cannot be done; whoever asked is told why.

    `code` is stable and machine-readable; `detail` is for people.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class NotAnswered(RetryableError):
    """Nobody answered a question on the bus in time."""
