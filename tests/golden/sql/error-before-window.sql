-- An expression that fails below a window: its row is left out, with its reason.
-- input: kv
SELECT window_start, COUNT(*) AS n, SUM(q) AS total FROM TABLE(TUMBLE(TABLE (
  SELECT 12 / (v - 3) AS q, ts FROM kv
), DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end
