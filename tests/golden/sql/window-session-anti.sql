-- NOT EXISTS over sessions: orders that no dearer one follows in their session.
-- input: sales
SELECT a.id, a.customer, a.amount, a.window_start, a.window_end
FROM (SELECT * FROM TABLE(SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '15' SECOND))) a
WHERE NOT EXISTS (
  SELECT * FROM (SELECT * FROM TABLE(SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '15' SECOND))) b
  WHERE b.customer = a.customer AND b.amount > a.amount AND b.ts > a.ts
    AND a.window_start = b.window_start AND a.window_end = b.window_end)
