-- Window join, right: payments without an order stay.
-- input: sales
SELECT o.id, p.order_id, p.means, p.window_start
FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))) o
RIGHT JOIN (SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND))) p
ON o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end
