"""The embedded broker."""

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def test_it_answers_with_its_password_and_starts_empty(broker):
    client = redis.Redis.from_url(broker)
    assert client.dbsize() == 0
    client.set("left", "over")


def test_the_next_test_finds_it_empty_again(broker):
    assert redis.Redis.from_url(broker).get("left") is None


def test_it_refuses_those_without_the_password(broker_server):
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=broker_server.port, retry=Retry(NoBackoff(), 0)).ping()
