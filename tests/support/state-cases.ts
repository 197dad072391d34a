/**
 * Queries of which `tests/unit/sql/engine/fixtures` hold states, as older versions wrote them: after
 * the third publish (full) and after the sixth (a delta to it). See `saved-states.test.ts`.
 */
import { parseCase, type SqlCase } from "./sql-case.ts";

const publishes = `/* publishes
@ 00:00:02 clicks/0
{"u":"ada","n":1,"url":"/a","cost":1.25,"ts":"2026-01-01 00:00:01.000"}
{"u":"bob","n":2,"url":"/b","cost":2.5,"ts":"2026-01-01 00:00:02.000"}
{"u":null,"n":3,"url":"/c","cost":null,"ts":"2026-01-01 00:00:03.000"}
@ 00:00:09 clicks/0
{"u":"ada","n":4,"url":"/a","cost":4.25,"ts":"2026-01-01 00:00:08.000"}
{"u":"eve","n":5,"url":"/a much longer address that does not fit a slot","cost":9.99,"ts":"2026-01-01 00:00:09.000"}
@ 00:00:10 clicks/0
{"u":"eve","n":6,"url":"/e","cost":0.01,"ts":"2026-01-01 00:00:10.000"}
@ 00:00:17 clicks/0
{"u":"dan","n":7,"url":"/d","cost":7.0,"ts":"2026-01-01 00:00:16.000"}
{"u":"ada","n":8,"url":"/b","cost":1.0,"ts":"2026-01-01 00:00:04.500"}
@ 00:00:18 clicks/0
{"u":"eve","n":9,"url":"/e","cost":0.5,"ts":"2026-01-01 00:00:14.000"}
@ 00:00:19 clicks/0
{"u":"bob","n":10,"url":"/b","cost":3.5,"ts":"2026-01-01 00:00:18.000"}
{"u":null,"n":11,"url":null,"cost":1.5,"ts":"2026-01-01 00:00:18.500"}
@ 00:00:23 clicks/0
{"u":"eve","n":12,"url":"/f","cost":0.25,"ts":"2026-01-01 00:00:18.900"}
{"u":"dan","n":13,"url":"/d","cost":7.0,"ts":"2026-01-01 00:00:20.000"}
@ 00:00:24 clicks/0
{"u":"ada","n":14,"url":"/z","cost":8.0,"ts":"2026-01-01 00:00:10.500"}
@ 00:01:00 clicks/0
{"u":"zoe","n":15,"url":"/z","cost":8.0,"ts":"2026-01-01 00:00:59.000"}
*/`;

const clicks = `CREATE STREAM clicks (u STRING, n INT, url STRING, cost DECIMAL(10, 2), ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('topic' = 'clicks', 'format' = 'json');`;

/** Several windows end before the states and after them; late sessions are taken back. */
export const stateCases: Readonly<Record<string, SqlCase>> = {
  "sessions-aggregate": parseCase(
    "sessions",
    `-- Aggregates of all sorts over sessions.
     ${clicks}
     CREATE MATERIALIZED VIEW out AS
     SELECT u, window_start, window_end, COUNT(*) AS c, COUNT(DISTINCT url) AS urls,
       SUM(cost) AS cost, SUM(n) AS total, MIN(url) AS least, MAX(n) AS most, FIRST_VALUE(url) AS f,
       LAST_VALUE(url) AS l, APPROX_COUNT_DISTINCT(n) AS about, AVG(n) AS mean
     FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '5' SECOND))
     GROUP BY u, window_start, window_end
${publishes}
`,
  ),
  "sessions-late": parseCase(
    "sessions",
    `-- Sessions that take late rows.
     ${clicks}
     CREATE MATERIALIZED VIEW out AS
     SELECT u, window_start, window_end, COUNT(*) AS c, COUNT(DISTINCT url) AS urls, MAX(url) AS m
     FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '3' SECOND))
     GROUP BY u, window_start, window_end
     ALLOWED LATENESS INTERVAL '10' SECOND
${publishes}
`,
  ),
  "sessions-rows": parseCase(
    "sessions",
    `-- Rows of sessions.
     ${clicks}
     SELECT u, n, window_start, window_end
     FROM TABLE(SESSION(TABLE clicks PARTITION BY u, DESCRIPTOR(ts), INTERVAL '5' SECOND))
${publishes}
`,
  ),
  groups: parseCase(
    "groups",
    `-- Groups with the values that they have counted.
     ${clicks}
     CREATE MATERIALIZED VIEW out AS
     SELECT u, COUNT(*) AS c, COUNT(DISTINCT url) AS urls, SUM(DISTINCT n) AS total,
       COUNT(DISTINCT url) FILTER (WHERE n > 4) AS later, MAX(url) AS m
     FROM clicks GROUP BY u
${publishes}
`,
  ),
  hops: parseCase(
    "hops",
    `-- Windows that share panes, with the values that they have counted.
     ${clicks}
     CREATE MATERIALIZED VIEW out AS
     SELECT u, window_start, window_end, COUNT(*) AS c, COUNT(DISTINCT url) AS urls, MAX(url) AS m
     FROM TABLE(HOP(TABLE clicks, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND))
     GROUP BY u, window_start, window_end
${publishes}
`,
  ),
  join: parseCase(
    "join",
    `-- Rows with the dearest of their window.
     ${clicks}
     SELECT c.u, c.n, c.url, m.cost
     FROM clicks c JOIN (
       SELECT MAX(n) AS most, COUNT(*) AS cost, window_time
       FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND))
       GROUP BY window_start, window_end, window_time
     ) m ON c.n <= m.most AND c.ts BETWEEN m.window_time - INTERVAL '10' SECOND AND m.window_time
${publishes}
`,
  ),
};
