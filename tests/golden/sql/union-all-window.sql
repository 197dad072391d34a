-- A window over UNION ALL: its watermark is the lesser of both.
-- input: sales
CREATE VIEW both_ AS
SELECT 'order' AS what, amount AS money, ts FROM orders
UNION ALL SELECT 'payment', paid, ts FROM payments;
SELECT window_start, window_end, what, COUNT(*) AS n, SUM(money) AS money
FROM TABLE(TUMBLE(TABLE both_, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, what
