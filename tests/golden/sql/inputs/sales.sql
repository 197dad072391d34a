-- Orders and their payments, two topics of one partition each.
CREATE STREAM orders (
  id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('topic' = 'orders', 'format' = 'json');
CREATE STREAM payments (
  order_id BIGINT, means STRING, paid DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('topic' = 'payments', 'format' = 'json');
/* publishes
@ 00:00:02 orders/0
{"id":1,"customer":"ann","amount":10.00,"ts":"2026-01-01 00:00:01.000"}
{"id":2,"customer":"bob","amount":20.50,"ts":"2026-01-01 00:00:02.000"}
{"id":3,"customer":"ann","amount":5.25,"ts":"2026-01-01 00:00:01.500"}
@ 00:00:04 payments/0
{"order_id":1,"means":"card","paid":10.00,"ts":"2026-01-01 00:00:03.000"}
{"order_id":9,"means":"cash","paid":1.00,"ts":"2026-01-01 00:00:03.500"}
@ 00:00:08 orders/0
{"id":4,"customer":"cid","amount":99.99,"ts":"2026-01-01 00:00:07.000"}
{"id":null,"customer":"eve","amount":3.00,"ts":"2026-01-01 00:00:06.000"}
@ 00:00:09 payments/0
{"order_id":2,"means":"card","paid":20.00,"ts":"2026-01-01 00:00:08.000"}
{"order_id":2,"means":"cash","paid":0.50,"ts":"2026-01-01 00:00:08.200"}
{"order_id":null,"means":"card","paid":3.00,"ts":"2026-01-01 00:00:07.000"}
@ 00:00:14 orders/0
{"id":5,"customer":"bob","amount":7.00,"ts":"2026-01-01 00:00:12.000"}
{"id":6,"customer":"ann","amount":8.00,"ts":"2026-01-01 00:00:13.000"}
@ 00:00:15 payments/0
{"order_id":4,"means":"card","paid":99.99,"ts":"2026-01-01 00:00:13.000"}
{"order_id":6,"means":"card","paid":8.00,"ts":"2026-01-01 00:00:14.000"}
@ 00:00:31 orders/0
{"id":7,"customer":"bob","amount":70.00,"ts":"2026-01-01 00:00:30.000"}
@ 00:00:32 payments/0
{"order_id":7,"means":"card","paid":70.00,"ts":"2026-01-01 00:00:31.000"}
@ 00:00:51 orders/0
{"id":8,"customer":"ann","amount":1.00,"ts":"2026-01-01 00:00:50.000"}
@ 00:00:52 payments/0
{"order_id":5,"means":"card","paid":7.00,"ts":"2026-01-01 00:00:51.000"}
*/
