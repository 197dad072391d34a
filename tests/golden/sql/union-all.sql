-- UNION ALL of two streams.
-- input: sales
SELECT 'order' AS what, id, amount AS money, ts FROM orders
UNION ALL SELECT 'payment', order_id, paid, ts FROM payments
