-- What a window join gives, grouped by its windows.
-- input: sales
SELECT window_start, window_end, COUNT(*) AS n, SUM(paid) AS paid FROM (
  SELECT o.id, p.paid, o.window_start, o.window_end
  FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))) o
  JOIN (SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))) p
  ON o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end
) GROUP BY window_start, window_end
