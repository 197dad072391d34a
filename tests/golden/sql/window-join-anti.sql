-- Window join, anti: orders that have none.
-- input: sales
SELECT o.id, o.customer, o.window_start FROM (
  SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))
) o WHERE NOT EXISTS (
  SELECT * FROM (
    SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  ) p WHERE o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end)
