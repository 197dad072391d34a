-- Two tests of one WHERE, one over a window aggregate, and a window aggregate of what passes.
-- input: sales
SELECT window_start, window_end, COUNT(*) AS n, SUM(amount) AS total
FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))) o
WHERE o.id IN (
    SELECT order_id
    FROM (SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))) p
    WHERE o.window_start = p.window_start AND o.window_end = p.window_end)
  AND o.id NOT IN (
    SELECT p.order_id FROM (
      SELECT order_id, COUNT(*) AS parts, window_start, window_end
      FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))
      WHERE order_id IS NOT NULL
      GROUP BY order_id, window_start, window_end) p
    WHERE p.parts > 1 AND o.window_start = p.window_start AND o.window_end = p.window_end)
GROUP BY window_start, window_end
