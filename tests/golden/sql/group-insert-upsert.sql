-- INSERT of an updating query into a table with a PRIMARY KEY.
-- input: kv
CREATE TABLE totals (k STRING, n BIGINT, total DECIMAL(20, 2), PRIMARY KEY (k) NOT ENFORCED)
WITH ('topic' = 'totals', 'format' = 'json');
INSERT INTO totals SELECT k, COUNT(*) AS n, SUM(m) AS total FROM kv GROUP BY k
