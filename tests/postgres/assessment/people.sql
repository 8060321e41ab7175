CREATE EXTENSION btree_gist;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE orgs (id bigint PRIMARY KEY);
INSERT INTO orgs VALUES (1);
CREATE TABLE people (
  id bigint PRIMARY KEY, "Nick" varchar(40), address text, age int, org_id bigint, big bigint, price numeric(10,4),
  mood mood, code text, mail email, room int, during tsrange
);
INSERT INTO people
SELECT g, CASE WHEN g % 4 <> 0 THEN 'nick ' || g % 10 END, 'e' || g % 50 || '@x', g - 3, g % 3, g * 1000000000::bigint, g * 1000.5,
       'ok', CASE WHEN g = 7 THEN 'x7' ELSE g::text END, 'a@b', g % 5,
       tsrange('2026-01-01'::timestamp + g * interval '1 hour', '2026-01-01'::timestamp + (g + 6) * interval '1 hour')
FROM generate_series(1, 100) g;
ALTER TABLE people ADD CONSTRAINT grown_up CHECK (age > 10) NOT VALID;
CREATE SEQUENCE numbers;
