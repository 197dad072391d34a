-- Interval join: payments up to eight seconds after their order.
-- input: sales
SELECT o.id, o.amount, p.means, p.paid, o.ts, p.ts AS paid_at
FROM orders o, payments p
WHERE o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND
