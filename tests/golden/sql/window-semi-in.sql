-- Window semi join: orders whose payment came in the same window. NULL is in no list.
-- input: sales
SELECT o.id, o.customer, o.window_start, o.window_end
FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))) o
WHERE o.id IN (
  SELECT order_id
  FROM (SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))) p
  WHERE o.window_start = p.window_start AND o.window_end = p.window_end)
