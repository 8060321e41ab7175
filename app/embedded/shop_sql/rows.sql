-- The sample shop's rows: the same every time, so that two shops differ only in size. {users}, {products} and {orders} are counts.
INSERT INTO products (id, sku, name, price_cents, stock)
SELECT n,
       'SKU-' || lpad(n::text, 5, '0'),
       (ARRAY['Oak', 'Linen', 'Copper', 'Slate', 'Cotton', 'Birch', 'Wool', 'Glass'])[1 + n % 8] || ' '
           || (ARRAY['lamp', 'chair', 'bowl', 'blanket', 'shelf', 'clock', 'mirror', 'table', 'vase'])[1 + n / 8 % 9],
       490 + n * 7919 % 24000,
       n * 31 % 400
FROM generate_series(1, {products}) AS n;

INSERT INTO users (id, email, full_name, country, is_active, newsletter, created_at, last_seen_at)
SELECT n,
       'user' || n || '@example.com',
       (ARRAY['Ada', 'Ben', 'Chloe', 'Dmitri', 'Elif', 'Farid', 'Greta', 'Hiro', 'Ines', 'Jonas', 'Kira'])[1 + n % 11] || ' '
           || (ARRAY['Almeida', 'Berg', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Garcia', 'Haddad', 'Ito'])[1 + n / 11 % 9],
       (ARRAY['DE', 'FR', 'PT', 'SE', 'US', 'JP', 'BR'])[1 + n * 13 % 7],
       n % 17 <> 0,
       n % 3 = 0,
       now() - interval '900 days' * (1 - n::double precision / {users}),
       CASE WHEN n % 5 <> 0 THEN now() - interval '1 hour' * (n * 7919::bigint % 2000) END
FROM generate_series(1, {users}) AS n;

INSERT INTO orders (id, user_id, status, total_cents, placed_at, shipped_at)
SELECT n,
       1 + n * 7919::bigint % {users},
       CASE WHEN n > {orders} * 0.995 THEN 'placed' WHEN n % 43 = 0 THEN 'returned' ELSE 'shipped' END,
       990 + n * 104729::bigint % 40000,
       now() - interval '700 days' * (1 - n::double precision / {orders}),
       CASE WHEN n <= {orders} * 0.995 THEN now() - interval '700 days' * (1 - n::double precision / {orders}) + interval '2 days' END
FROM generate_series(1, {orders}) AS n;

INSERT INTO order_items (order_id, line, product_id, quantity, price_cents)
SELECT n, line, 1 + (n * 31 + line * 977) % {products}, 1 + (n + line) % 3, 490 + (n * 7 + line) % 24000
FROM generate_series(1, {orders}) AS n, generate_series(1, 1 + (n % 2)::integer) AS line;
