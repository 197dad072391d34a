-- Window anti join with NOT EXISTS: NULL equals nothing, so that an order without a number stays.
-- input: sales
SELECT o.id, o.customer, o.window_start, o.window_end
FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))) o
WHERE NOT EXISTS (
  SELECT 1
  FROM (SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))) p
  WHERE o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end)
