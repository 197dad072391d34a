-- NOT IN where only the rows outside are NULL: such a row stays where the window has no payments.
-- input: sales
SELECT o.id, o.customer, o.window_start, o.window_end
FROM (SELECT * FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '4' SECOND))) o
WHERE o.amount < 60 AND o.id NOT IN (
  SELECT p.order_id
  FROM (SELECT * FROM TABLE(HOP(TABLE payments, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '4' SECOND))) p
  WHERE o.window_start = p.window_start AND o.window_end = p.window_end AND p.order_id IS NOT NULL)
