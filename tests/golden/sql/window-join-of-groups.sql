-- Window join of two aggregates, with a condition that is no equality.
-- input: sales
SELECT a.customer, a.total, b.paid, a.window_end
FROM (
  SELECT customer, window_start, window_end, SUM(amount) AS total
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY customer, window_start, window_end
) a JOIN (
  SELECT window_start, window_end, SUM(paid) AS paid
  FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end
) b ON a.window_start = b.window_start AND a.window_end = b.window_end AND a.total < b.paid
