"""How often somebody may try a password: counted on the broker for all web processes, in memory where it is away."""

import logging
from contextlib import suppress

from limits import RateLimitItemPerMinute
from limits.errors import ConfigurationError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from app.errors import HeadgateError
from app.settings import Settings

logger = logging.getLogger("headgate.web")
PEOPLE_PER_ADDRESS = 10


class TooManyAttemptsError(HeadgateError):
    """Too many sign-in attempts in the last minute."""

    status = 429


class SignInLimit:
    """A sliding minute per account and per address."""

    def __init__(self, settings: Settings) -> None:
        """The broker is asked first; a process that can't reach it counts for itself."""
        self._account = RateLimitItemPerMinute(settings.sign_in_attempts_per_minute)
        # an office, or everybody behind one proxy, shares an address
        self._address = RateLimitItemPerMinute(settings.sign_in_attempts_per_minute * PEOPLE_PER_ADDRESS)
        self._alone = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        with suppress(ConfigurationError):
            storage = storage_from_string(
                settings.redis_url.get_secret_value(), socket_timeout=0.5, socket_connect_timeout=0.5, wrap_exceptions=False
            )
            if isinstance(storage, Storage):
                self._shared = MovingWindowRateLimiter(storage)

    def _hit(self, item: RateLimitItemPerMinute, key: str) -> bool:
        if self._shared is not None:
            try:
                return self._shared.hit(item, "headgate-sign-in", key)
            except (RedisError, OSError) as error:
                logger.warning("The broker is away (%s); sign-in attempts are counted by this process.", type(error).__name__)
        return self._alone.hit(item, "headgate-sign-in", key)

    def count(self, *, email: str, address: str) -> None:
        """Count one attempt.

        Raises TooManyAttemptsError when the account or the address had too many.
        """
        allowed = [
            self._hit(self._account, f"account:{email.strip().lower()}"),
            self._hit(self._address, f"address:{address}"),
        ]
        if not all(allowed):
            raise TooManyAttemptsError(hint="Wait a minute, then try again. Nothing is locked for good.")
