-- Window semi join with EXISTS, and a condition over both sides.
-- input: sales
SELECT o.id, o.customer, o.amount, o.window_start, o.window_end
FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))) o
WHERE o.amount > 6 AND EXISTS (
  SELECT *
  FROM (SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))) p
  WHERE o.id = p.order_id AND p.paid < o.amount
    AND o.window_start = p.window_start AND o.window_end = p.window_end)
