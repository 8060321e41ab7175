"""One clock for all workers: that of Headgate's own database."""

from datetime import UTC, datetime, timedelta

from app.store.clock import StoreClock
from app.store.sessions import make_engine


def test_a_worker_goes_by_the_clock_of_the_database_however_wrong_its_own_is(metadata):
    # a database whose clock is five minutes ahead of this machine's
    metadata.execute(
        "CREATE SCHEMA ahead; CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
        " AS $$SELECT pg_catalog.clock_timestamp() + interval '5 minutes'$$"
    )
    metadata.execute(f'ALTER DATABASE "{metadata.name}" SET search_path = ahead, pg_catalog, public')
    engine = make_engine(metadata.dsn)
    clock = StoreClock(engine)
    first, second = clock.now(), clock.now()
    engine.dispose()
    assert timedelta(minutes=4) < first - datetime.now(UTC) < timedelta(minutes=6)
    assert second >= first
