-- A window over an interval join.
-- input: sales
CREATE VIEW paid_orders AS
SELECT o.id, o.ts FROM orders o JOIN payments p
ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND;
SELECT window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE paid_orders, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
