-- NOT IN over computed values of both sides and of two types: those that cannot be computed are rows
-- of the errors topic.
-- input: sales
SELECT o.id, o.customer, o.window_start
FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))) o
WHERE o.id / (o.id - 7) + 2 NOT IN (
  SELECT CAST(p.order_id AS INT) / (p.order_id - 9) + 1
  FROM (SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))) p
  WHERE o.window_start = p.window_start AND o.window_end = p.window_end AND p.order_id IS NOT NULL)
