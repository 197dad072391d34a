-- Who ordered least often in a window: the least stands on the left, and the comparison is turned.
-- input: sales
SELECT a.customer, a.n, a.window_end
FROM (
  SELECT MIN(n) AS least, window_start, window_end
  FROM (
    SELECT COUNT(*) AS n, window_start, window_end
    FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))
    GROUP BY customer, window_start, window_end
  ) counts
  GROUP BY window_start, window_end
) b JOIN (
  SELECT customer, COUNT(*) AS n, window_start, window_end
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY customer, window_start, window_end
) a ON a.window_start = b.window_start AND a.window_end = b.window_end AND b.least >= a.n
