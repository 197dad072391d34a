/**
 * Nexmark's queries in the dialect that Flink and Millrace share, so that both are given the same
 * text. `tumble` is no query of Nexmark: the plain count by auction in windows of ten seconds.
 */
export interface NexmarkQuery {
  readonly name: string;
  readonly select: string;
  /** Of the result, as a sink declares them. */
  readonly columns: string;
  /** Present where results are changes: the key by which they replace each other. */
  readonly key?: string;
  /** How many times Flink's rate is the goal. */
  readonly goal: number;
}

/** Columns of the topic with all three kinds of events. */
export const eventColumns = `
  event_type INT,
  person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING,
    state STRING, \`dateTime\` TIMESTAMP(3), extra STRING>,
  auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT,
    \`dateTime\` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
    \`dateTime\` TIMESTAMP(3), extra STRING>,
  \`dateTime\` AS CASE
    WHEN event_type = 0 THEN person.\`dateTime\`
    WHEN event_type = 1 THEN auction.\`dateTime\`
    ELSE bid.\`dateTime\`
  END,
  WATERMARK FOR \`dateTime\` AS \`dateTime\` - INTERVAL '4' SECOND`;

/** One statement each, to be run behind the table \`nexmark\`. */
export const eventViews: readonly string[] = [
  `CREATE VIEW person AS
SELECT person.id, person.name, person.emailAddress, person.creditCard, person.city, person.state,
  \`dateTime\`, person.extra
FROM nexmark WHERE event_type = 0`,
  `CREATE VIEW auction AS
SELECT auction.id, auction.itemName, auction.description, auction.initialBid, auction.reserve,
  \`dateTime\`, auction.expires, auction.seller, auction.category, auction.extra
FROM nexmark WHERE event_type = 1`,
  `CREATE VIEW bid AS
SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, \`dateTime\`, bid.extra
FROM nexmark WHERE event_type = 2`,
  "CREATE VIEW bid_seen AS SELECT *, PROCTIME() AS p_time FROM bid",
];

const bidColumns = "auction BIGINT, bidder BIGINT, price BIGINT";
const countColumns =
  "bidder BIGINT, bid_count BIGINT, starttime TIMESTAMP(3), endtime TIMESTAMP(3)";
const day = "DATE_FORMAT(`dateTime`, 'yyyy-MM-dd')";
const hop = `TABLE(HOP(TABLE bid, DESCRIPTOR(\`dateTime\`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))`;
const tumble = (table: string) =>
  `TABLE(TUMBLE(TABLE ${table}, DESCRIPTOR(\`dateTime\`), INTERVAL '10' SECOND))`;

/** Counts of q15 and q16: of all, and in three ranks of price. */
const ranks = ["", "price < 10000", "price >= 10000 AND price < 1000000", "price >= 1000000"];
function ranked(what: string, counted: string): string[] {
  return ranks.map((rank, index) => {
    const name = index === 0 ? `total_${what}` : `rank${index}_${what}`;
    return `COUNT(${counted})${rank === "" ? "" : ` FILTER (WHERE ${rank})`} AS ${name}`;
  });
}
const rankedNames = (what: string) =>
  [0, 1, 2, 3].map((rank) => `${rank === 0 ? "total" : `rank${rank}`}_${what} BIGINT`);
const statistics = [
  ...ranked("bids", "*"),
  ...ranked("bidders", "DISTINCT bidder"),
  ...ranked("auctions", "DISTINCT auction"),
].join(",\n  ");
const statisticsColumns = ["bids", "bidders", "auctions"].flatMap(rankedNames).join(", ");

export const nexmarkQueries: readonly NexmarkQuery[] = [
  {
    name: "tumble",
    select: `SELECT auction, COUNT(*) AS num, window_start, window_end
FROM ${tumble("bid")}
GROUP BY auction, window_start, window_end`,
    columns: "auction BIGINT, num BIGINT, window_start TIMESTAMP(3), window_end TIMESTAMP(3)",
    goal: 20,
  },
  {
    name: "q0",
    select: "SELECT auction, bidder, price, `dateTime`, extra FROM bid",
    columns: `${bidColumns}, \`dateTime\` TIMESTAMP(3), extra STRING`,
    goal: 10,
  },
  {
    name: "q1",
    select: "SELECT auction, bidder, 0.908 * price AS price, `dateTime`, extra FROM bid",
    columns:
      "auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), `dateTime` TIMESTAMP(3), extra STRING",
    goal: 10,
  },
  {
    name: "q2",
    select: "SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0",
    columns: "auction BIGINT, price BIGINT",
    goal: 10,
  },
  {
    name: "q5",
    select: `SELECT AuctionBids.auction, AuctionBids.num
FROM (
  SELECT auction, COUNT(*) AS num, window_start AS starttime, window_end AS endtime
  FROM ${hop}
  GROUP BY auction, window_start, window_end
) AS AuctionBids
JOIN (
  SELECT MAX(CountBids.num) AS maxn, CountBids.starttime, CountBids.endtime
  FROM (
    SELECT COUNT(*) AS num, window_start AS starttime, window_end AS endtime
    FROM ${hop}
    GROUP BY auction, window_start, window_end
  ) AS CountBids
  GROUP BY CountBids.starttime, CountBids.endtime
) AS MaxBids
ON AuctionBids.starttime = MaxBids.starttime
  AND AuctionBids.endtime = MaxBids.endtime
  AND AuctionBids.num >= MaxBids.maxn`,
    columns: "auction BIGINT, num BIGINT",
    goal: 20,
  },
  {
    name: "q7",
    select: `SELECT B.auction, B.price, B.bidder, B.\`dateTime\`, B.extra
FROM bid B
JOIN (
  SELECT MAX(price) AS maxprice, window_end AS \`dateTime\`
  FROM ${tumble("bid")}
  GROUP BY window_start, window_end
) B1
ON B.price = B1.maxprice
WHERE B.\`dateTime\` BETWEEN B1.\`dateTime\` - INTERVAL '10' SECOND AND B1.\`dateTime\``,
    columns: "auction BIGINT, price BIGINT, bidder BIGINT, `dateTime` TIMESTAMP(3), extra STRING",
    goal: 20,
  },
  {
    name: "q8",
    select: `SELECT P.id, P.name, P.starttime
FROM (
  SELECT id, name, window_start AS starttime, window_end AS endtime
  FROM ${tumble("person")}
  GROUP BY id, name, window_start, window_end
) P
JOIN (
  SELECT seller, window_start AS starttime, window_end AS endtime
  FROM ${tumble("auction")}
  GROUP BY seller, window_start, window_end
) A
ON P.id = A.seller AND P.starttime = A.starttime AND P.endtime = A.endtime`,
    columns: "id BIGINT, name STRING, starttime TIMESTAMP(3)",
    goal: 20,
  },
  {
    name: "q11",
    select: `SELECT bidder, COUNT(*) AS bid_count, window_start AS starttime, window_end AS endtime
FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(\`dateTime\`), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end`,
    columns: countColumns,
    goal: 20,
  },
  {
    name: "q12",
    select: `SELECT bidder, COUNT(*) AS bid_count, window_start AS starttime, window_end AS endtime
FROM TABLE(TUMBLE(TABLE bid_seen, DESCRIPTOR(p_time), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end`,
    columns: countColumns.replaceAll("TIMESTAMP(3)", "TIMESTAMP_LTZ(3)"),
    goal: 20,
  },
  {
    name: "q15",
    select: `SELECT ${day} AS \`day\`,
  ${statistics}
FROM bid
GROUP BY ${day}`,
    columns: `\`day\` STRING, ${statisticsColumns}`,
    key: "`day`",
    goal: 20,
  },
  {
    name: "q16",
    select: `SELECT channel, ${day} AS \`day\`, MAX(DATE_FORMAT(\`dateTime\`, 'HH:mm')) AS \`minute\`,
  ${statistics}
FROM bid
GROUP BY channel, ${day}`,
    columns: `channel STRING, \`day\` STRING, \`minute\` STRING, ${statisticsColumns}`,
    key: "channel, `day`",
    goal: 20,
  },
  {
    name: "q17",
    select: `SELECT auction, ${day} AS \`day\`,
  ${ranked("bids", "*").join(",\n  ")},
  MIN(price) AS min_price, MAX(price) AS max_price, AVG(price) AS avg_price,
  SUM(price) AS sum_price
FROM bid
GROUP BY auction, ${day}`,
    columns:
      `auction BIGINT, \`day\` STRING, ${rankedNames("bids").join(", ")}, min_price BIGINT, ` +
      "max_price BIGINT, avg_price BIGINT, sum_price BIGINT",
    key: "auction, `day`",
    goal: 20,
  },
  {
    name: "q21",
    select: `SELECT auction, bidder, price, channel,
  CASE
    WHEN LOWER(channel) = 'apple' THEN '0'
    WHEN LOWER(channel) = 'google' THEN '1'
    WHEN LOWER(channel) = 'facebook' THEN '2'
    WHEN LOWER(channel) = 'baidu' THEN '3'
    ELSE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2)
  END AS channel_id
FROM bid
WHERE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2) IS NOT NULL
  OR LOWER(channel) IN ('apple', 'google', 'facebook', 'baidu')`,
    columns: `${bidColumns}, channel STRING, channel_id STRING`,
    goal: 10,
  },
  {
    name: "q22",
    select: `SELECT auction, bidder, price, channel,
  SPLIT_INDEX(url, '/', 3) AS dir1,
  SPLIT_INDEX(url, '/', 4) AS dir2,
  SPLIT_INDEX(url, '/', 5) AS dir3
FROM bid`,
    columns: `${bidColumns}, channel STRING, dir1 STRING, dir2 STRING, dir3 STRING`,
    goal: 10,
  },
];
