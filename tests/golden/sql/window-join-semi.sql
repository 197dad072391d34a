-- Window join, semi: orders that have a payment in their window, by IN.
-- input: sales
SELECT * FROM (
  SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))
) o WHERE o.id IN (
  SELECT order_id FROM (
    SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  ) p WHERE o.window_start = p.window_start AND o.window_end = p.window_end)
