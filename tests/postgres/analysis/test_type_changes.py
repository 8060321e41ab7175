"""Every pair of types: whether ALTER COLUMN TYPE writes the table anew, or only the index, is what the analysis says."""

from app.analysis.analyse import analyse_script
from app.catalog.records import Schema
from app.catalog.schema import read_schema
from tests.doubles.databases import Database

SETUP = """
    CREATE EXTENSION citext;
    CREATE TYPE mood AS ENUM ('a');
    CREATE DOMAIN plain_dom AS text;
    CREATE DOMAIN email_dom AS text CHECK (value LIKE '%@%');
    CREATE DOMAIN nested_dom AS email_dom;
    CREATE DOMAIN short_dom AS varchar(10);
    CREATE DOMAIN number_dom AS numeric(10, 2);
"""
TYPES = """
    smallint, integer, bigint, numeric, numeric(10,2), numeric(12,2), numeric(10,4), double precision, text, varchar, varchar(10),
    varchar(20), char(4), char(8), citext, boolean, date, timestamp, timestamp(3), timestamptz, timestamptz(3), timestamptz(6), time,
    time(2), interval, interval(2), interval day, interval day to second(2), uuid, json, jsonb, xml, inet, cidr, bit(4), varbit,
    varbit(4), varbit(8), oid, regclass, text[], varchar(10)[], varchar[], mood, plain_dom, email_dom, nested_dom, short_dom, number_dom
"""
NAMES = [name for part in TYPES.replace("\n", " ").split(", ") if (name := part.strip())]
#: runs a change of type and undoes it; "refused", "table", "index" or "nothing"
MEASURE = """
    CREATE FUNCTION measure(old int, new text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
      files text := pg_relation_filenode('t' || old) || ' ' || coalesce(pg_relation_filenode(to_regclass('i' || old))::text, '');
      seen text;
    BEGIN
      BEGIN
        EXECUTE format('ALTER TABLE t%s ALTER COLUMN c TYPE %s', old, new);
        seen := pg_relation_filenode('t' || old) || ' ' || coalesce(pg_relation_filenode(to_regclass('i' || old))::text, '');
        RAISE EXCEPTION 'undo' USING ERRCODE = 'HG001';
      EXCEPTION
        WHEN SQLSTATE 'HG001' THEN
          RETURN CASE WHEN split_part(seen, ' ', 1) <> split_part(files, ' ', 1) THEN 'table'
                      WHEN seen <> files THEN 'index' ELSE 'nothing' END;
        WHEN OTHERS THEN
          RETURN 'refused';
      END;
    END $$
"""
NOT_INDEXED = {"json", "xml"}


def test_a_change_of_type_writes_anew_what_the_analysis_says(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(SETUP + MEASURE)
        for number, name in enumerate(NAMES):
            connection.execute(f"CREATE TABLE t{number} (c {name})")
            if name not in NOT_INDEXED:
                connection.execute(f"CREATE INDEX i{number} ON t{number} (c)")
        schema = read_schema(connection)
        question = """
            SELECT o - 1, n - 1, measure(o::int - 1, new)
              FROM generate_series(1, %(count)s) o, unnest(%(names)s::text[]) WITH ORDINALITY u(new, n)
        """
        rows = connection.execute(question, {"count": len(NAMES), "names": NAMES}).fetchall()
    seen = {(NAMES[old], NAMES[new]): work for old, new, work in rows if work != "refused"}
    claimed = {pair: claimed_work(NAMES.index(pair[0]), pair[1], schema) for pair in seen}
    assert {pair: work for pair, work in claimed.items() if work != seen[pair]} == {}
    assert len(seen) > 500


def claimed_work(number: int, new: str, schema: Schema) -> str:
    report = analyse_script(f"ALTER TABLE t{number} ALTER COLUMN c TYPE {new}", schema=schema).statements[0]
    if report.rewrites:
        return "table"
    return "index" if report.scans else "nothing"
