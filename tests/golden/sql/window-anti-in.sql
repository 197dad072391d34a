-- Window anti join with NOT IN: a NULL among the payments of a window hides all of its orders, and
-- an order without a number stays only where there are no payments.
-- input: sales
SELECT o.id, o.customer, o.window_start, o.window_end
FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '5' SECOND))) o
WHERE o.id NOT IN (
  SELECT order_id
  FROM (SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '5' SECOND))) p
  WHERE o.window_start = p.window_start AND o.window_end = p.window_end)
