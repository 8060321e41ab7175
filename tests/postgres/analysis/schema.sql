-- The shop that the rules are measured on: every kind of thing a statement can touch.
CREATE EXTENSION citext;
CREATE EXTENSION btree_gist;
CREATE DOMAIN email_dom AS text CHECK (value LIKE '%@%');
CREATE DOMAIN plain_dom AS text;
CREATE TYPE order_state AS ENUM ('new', 'paid');
CREATE TYPE addr AS (street text, zip text);
CREATE SCHEMA app;
CREATE SEQUENCE sq;
CREATE TABLE orgs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(100),
    nick varchar(40),
    email varchar(120) NOT NULL,
    ci_name text,
    doc text,
    age int,
    score numeric(10, 2),
    last_ts timestamp(3),
    created_at timestamptz NOT NULL DEFAULT now(),
    meta json,
    country char(2),
    status text NOT NULL DEFAULT 'new',
    total bigint NOT NULL DEFAULT 0,
    org_id bigint REFERENCES orgs (id),
    flags bit varying(8),
    net cidr
);
CREATE INDEX users_email_idx ON users (email);
CREATE INDEX users_nick_idx ON users (nick);
CREATE INDEX users_ci_name_idx ON users (ci_name);
CREATE VIEW v_users AS SELECT id, email, status FROM users;
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint REFERENCES users (id),
    uid2 bigint,
    qty int,
    note varchar(40),
    tag varchar(40) CHECK (tag <> ''),
    part varchar(40),
    expr varchar(40),
    trig varchar(40),
    state order_state
);
CREATE INDEX orders_part_idx ON orders (id) WHERE part <> '';
CREATE INDEX orders_expr_idx ON orders (lower(expr));
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE FUNCTION steady() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
CREATE FUNCTION inlined() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'x' $$;
CREATE FUNCTION moving() RETURNS text LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN clock_timestamp()::text; END';
CREATE TRIGGER t_old BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION trg();
CREATE TRIGGER t_of BEFORE UPDATE OF trig ON orders FOR EACH ROW EXECUTE FUNCTION trg();
CREATE TABLE events (id bigint NOT NULL, ts timestamptz NOT NULL, payload text) PARTITION BY RANGE (ts);
CREATE TABLE events_2026_01 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2026_02 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE events_new (id bigint NOT NULL, ts timestamptz NOT NULL, payload text);
CREATE TABLE events_checked (
    id bigint NOT NULL, ts timestamptz NOT NULL, payload text,
    CONSTRAINT fits CHECK (ts >= '2026-04-01' AND ts < '2026-05-01')
);
CREATE TABLE pdef (k int, v text) PARTITION BY LIST (k);
CREATE TABLE pdef_1 PARTITION OF pdef FOR VALUES IN (1);
CREATE TABLE pdef_def PARTITION OF pdef DEFAULT;
CREATE TABLE pdef_new (k int, v text);
CREATE TABLE gen (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE contacts (id bigint, mail email_dom, word plain_dom);
CREATE TABLE book (room int, during tsrange);
CREATE UNIQUE INDEX book_room_idx ON book (room);
CREATE TABLE log (id bigint NOT NULL, line text);
CREATE UNIQUE INDEX log_id_idx ON log (id);
CREATE TABLE sales (id bigint, amt numeric);
CREATE MATERIALIZED VIEW mv_sales AS SELECT id, sum(amt) AS amt FROM sales GROUP BY id;
CREATE UNIQUE INDEX mv_sales_idx ON mv_sales (id);
CREATE TABLE parent_inh (a int);
CREATE TABLE child_inh (a int);
CREATE TABLE places (id bigint, home addr);
INSERT INTO orgs (name) SELECT 'o' || n FROM generate_series(1, 20) AS n;
INSERT INTO users (name, nick, email, ci_name, doc, age, org_id)
SELECT 'n' || n, 'k' || n, n || '@x', 'c' || n, 'd' || n, n % 90, n % 20 + 1 FROM generate_series(1, 500) AS n;
INSERT INTO orders (user_id, uid2, qty, note, tag, part, expr) SELECT n, n, 1, 'x', 'y', 'z', 'e' FROM generate_series(1, 500) AS n;
INSERT INTO events SELECT n, '2026-01-05'::timestamptz + n * interval '1 hour', 'p' FROM generate_series(1, 300) AS n;
INSERT INTO events_new SELECT n, '2026-03-05', 'p' FROM generate_series(1, 50) AS n;
INSERT INTO events_checked SELECT n, '2026-04-05', 'p' FROM generate_series(1, 50) AS n;
INSERT INTO pdef SELECT n, 'v' FROM generate_series(1, 50) AS n;
INSERT INTO pdef_new SELECT 77, 'v' WHERE false;
INSERT INTO gen (a) SELECT n FROM generate_series(1, 50) AS n;
INSERT INTO contacts SELECT n, n || '@x', 'w' FROM generate_series(1, 50) AS n;
INSERT INTO book SELECT n, tsrange('2026-01-01', '2026-01-02') FROM generate_series(1, 50) AS n;
INSERT INTO log SELECT n, 'l' FROM generate_series(1, 50) AS n;
INSERT INTO sales SELECT n, n FROM generate_series(1, 50) AS n;
REFRESH MATERIALIZED VIEW mv_sales;
