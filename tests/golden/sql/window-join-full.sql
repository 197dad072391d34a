-- Window join, full.
-- input: sales
SELECT o.id, p.order_id, o.amount, p.paid,
  COALESCE(o.window_start, p.window_start) AS window_start
FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))) o
FULL OUTER JOIN (SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))) p
ON o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end
