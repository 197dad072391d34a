-- Window join over HOP windows.
-- input: sales
SELECT o.id, p.paid, o.window_start
FROM (SELECT * FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND))) o
JOIN (SELECT * FROM TABLE(HOP(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND))) p
ON o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end
