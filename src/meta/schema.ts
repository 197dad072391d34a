/**
 * The tables, as numbered migrations. A released migration is never edited: a change is a new
 * number. One that programs of before cannot live with has the next thousand's number (ADR 48).
 * docs/FORMATS.md ("Metadata schema") explains every table.
 */
export interface Migration {
  readonly version: number;
  readonly title: string;
  readonly statements: readonly string[];
}

/** Tables that a publish fills and empties again within its batch, as version 1 has them. */
export const stagingTables: readonly { readonly name: string; readonly columns: string }[] = [
  {
    name: "staging",
    columns: `(
  entry INTEGER PRIMARY KEY,
  group_number INTEGER,
  topic_number INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  position INTEGER NOT NULL,
  length INTEGER NOT NULL,
  record_count INTEGER NOT NULL,
  max_timestamp INTEGER NOT NULL,
  base_offset INTEGER,
  island INTEGER NOT NULL,
  leader_epoch INTEGER,
  log_start_offset INTEGER,
  next_offset INTEGER,
  code INTEGER NOT NULL,
  skipped_count INTEGER NOT NULL DEFAULT 0,
  producer_id INTEGER,
  producer_epoch INTEGER,
  first_sequence INTEGER,
  last_sequence INTEGER,
  batches TEXT,
  state_sequence INTEGER,
  recent TEXT,
  duplicates TEXT,
  duplicate_base INTEGER
) STRICT`,
  },
  {
    name: "staging_group",
    columns: `(
  group_number INTEGER PRIMARY KEY,
  code INTEGER NOT NULL,
  repeated TEXT,
  expected INTEGER
) STRICT`,
  },
];

const stagingIndex = "staging_by_group ON staging (group_number) WHERE group_number IS NOT NULL";

const first: readonly string[] = [
  `CREATE TABLE namespace (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  cluster_id BLOB NOT NULL,
  publish_position INTEGER NOT NULL,
  published_at INTEGER NOT NULL,
  catalog_version INTEGER NOT NULL,
  next_producer_id INTEGER NOT NULL,
  forgotten_position INTEGER NOT NULL
) STRICT`,
  `INSERT INTO namespace
  (id, cluster_id, publish_position, published_at, catalog_version, next_producer_id,
    forgotten_position)
  VALUES (1, randomblob(16), 0, 0, 0, 0, 0)`,
  `CREATE TABLE worker (
  worker_epoch INTEGER PRIMARY KEY AUTOINCREMENT,
  registration TEXT NOT NULL UNIQUE,
  node_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  closed INTEGER NOT NULL DEFAULT 0,
  draining INTEGER NOT NULL DEFAULT 0,
  counter INTEGER NOT NULL DEFAULT 0,
  last_sequence INTEGER NOT NULL DEFAULT -1,
  kafka_host TEXT,
  kafka_port INTEGER,
  http_url TEXT,
  started_at INTEGER NOT NULL,
  closed_at INTEGER
) STRICT`,
  "CREATE UNIQUE INDEX worker_by_node ON worker (node_id) WHERE closed = 0",
  `CREATE TABLE lease (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  lease_epoch INTEGER NOT NULL,
  worker_epoch INTEGER,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID`,
  "CREATE INDEX lease_by_worker ON lease (worker_epoch) WHERE worker_epoch IS NOT NULL",
  `CREATE TABLE topic (
  topic_number INTEGER PRIMARY KEY AUTOINCREMENT,
  topic_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  collision_name TEXT NOT NULL,
  partition_count INTEGER NOT NULL,
  replication_factor INTEGER NOT NULL,
  config TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('live', 'deleting')),
  created_at INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT`,
  "CREATE UNIQUE INDEX topic_by_name ON topic (collision_name) WHERE state = 'live'",
  `CREATE TABLE topic_partition (
  topic_number INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  next_offset INTEGER NOT NULL DEFAULT 0,
  log_start_offset INTEGER NOT NULL DEFAULT 0,
  leader_epoch INTEGER NOT NULL DEFAULT 0,
  size_bytes INTEGER NOT NULL DEFAULT 0,
  created_position INTEGER NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (topic_number, partition)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE leader_epoch (
  topic_number INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  leader_epoch INTEGER NOT NULL,
  start_offset INTEGER NOT NULL,
  PRIMARY KEY (topic_number, partition, leader_epoch)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE object (
  object_id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  worker_epoch INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  live_rows INTEGER NOT NULL,
  released_at INTEGER
) STRICT`,
  "CREATE INDEX object_released ON object (released_at) WHERE released_at IS NOT NULL",
  `CREATE TABLE segment (
  publish_position INTEGER PRIMARY KEY,
  published_at INTEGER NOT NULL,
  worker_epoch INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  object_id INTEGER,
  position INTEGER NOT NULL,
  length INTEGER NOT NULL,
  entries TEXT NOT NULL,
  groups TEXT,
  UNIQUE (worker_epoch, sequence)
) STRICT`,
  `CREATE TABLE extent (
  topic_number INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  base_offset INTEGER NOT NULL,
  last_offset INTEGER NOT NULL,
  publish_position INTEGER NOT NULL,
  published_at INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  length INTEGER NOT NULL,
  max_timestamp INTEGER NOT NULL,
  PRIMARY KEY (topic_number, partition, base_offset)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE producer (
  topic_number INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  producer_id INTEGER NOT NULL,
  producer_epoch INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  recent TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (topic_number, partition, producer_id)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE http_producer (
  topic_number INTEGER NOT NULL,
  producer_name TEXT NOT NULL,
  producer_epoch INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  recent TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (topic_number, producer_name)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE consumer_group (
  group_id TEXT NOT NULL PRIMARY KEY,
  snapshot TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE group_offset (
  group_id TEXT NOT NULL,
  topic_number INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  committed_offset INTEGER NOT NULL,
  leader_epoch INTEGER NOT NULL,
  metadata TEXT NOT NULL,
  committed_at INTEGER NOT NULL,
  PRIMARY KEY (group_id, topic_number, partition)
) STRICT, WITHOUT ROWID`,
  ...stagingTables.map((table) => `CREATE TABLE main.${table.name} ${table.columns}`),
  `CREATE INDEX main.${stagingIndex}`,
];

const queries: readonly string[] = [
  "ALTER TABLE topic ADD COLUMN writer TEXT",
  `CREATE TABLE tick (
  topic_number INTEGER NOT NULL,
  publish_position INTEGER NOT NULL,
  published_at INTEGER NOT NULL,
  PRIMARY KEY (topic_number, publish_position)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE sql_object (
  name TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('stream', 'table', 'view', 'materialized_view')),
  statement TEXT NOT NULL,
  definition TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE query (
  query_id TEXT NOT NULL PRIMARY KEY,
  target TEXT NOT NULL,
  statement TEXT NOT NULL,
  definition TEXT NOT NULL,
  desired TEXT NOT NULL CHECK (desired IN ('running', 'paused')),
  failure TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
];

const second: readonly string[] = [
  "ALTER TABLE namespace ADD COLUMN ends_version INTEGER NOT NULL DEFAULT 0",
  "ALTER TABLE topic_partition ADD COLUMN ends_version INTEGER NOT NULL DEFAULT 0",
  "CREATE INDEX partition_by_ends ON topic_partition (ends_version) WHERE ends_version > 0",
  "ALTER TABLE topic_partition ADD COLUMN max_timestamp INTEGER NOT NULL DEFAULT -1",
  "ALTER TABLE extent ADD COLUMN max_so_far INTEGER NOT NULL DEFAULT -1",
  `UPDATE extent SET max_so_far = v.max_so_far FROM (
  SELECT topic_number, partition, base_offset, max(max_timestamp) OVER (
    PARTITION BY topic_number, partition ORDER BY base_offset) AS max_so_far FROM extent) v
WHERE v.topic_number = extent.topic_number AND v.partition = extent.partition
  AND v.base_offset = extent.base_offset`,
  `UPDATE topic_partition SET max_timestamp = coalesce((SELECT max(e.max_timestamp) FROM extent e
  WHERE e.topic_number = topic_partition.topic_number
    AND e.partition = topic_partition.partition), -1)`,
  "ALTER TABLE namespace ADD COLUMN store_id TEXT",
  "ALTER TABLE worker ADD COLUMN mended INTEGER NOT NULL DEFAULT 0",
  "UPDATE worker SET mended = closed",
  "CREATE INDEX worker_to_mend ON worker (worker_epoch) WHERE closed = 1 AND mended = 0",
];

const watermarks: readonly string[] = [
  `CREATE TABLE watermark (
  topic_number INTEGER NOT NULL,
  publish_position INTEGER NOT NULL,
  published_at INTEGER NOT NULL,
  watermark INTEGER NOT NULL,
  activity INTEGER NOT NULL,
  PRIMARY KEY (topic_number, publish_position)
) STRICT, WITHOUT ROWID`,
];

const objects: readonly string[] = [
  "ALTER TABLE worker ADD COLUMN object_name TEXT",
  `CREATE INDEX worker_by_object ON worker (object_name)
  WHERE closed = 0 AND object_name IS NOT NULL`,
  "ALTER TABLE lease ADD COLUMN object_name TEXT",
  "CREATE INDEX lease_by_object ON lease (object_name) WHERE object_name IS NOT NULL",
];

const tokens: readonly string[] = [
  "ALTER TABLE namespace ADD COLUMN tokens_version INTEGER NOT NULL DEFAULT 0",
  `CREATE TABLE access_token (
  token_id TEXT NOT NULL PRIMARY KEY,
  secret_hash TEXT NOT NULL,
  topics TEXT NOT NULL,
  operations TEXT NOT NULL,
  origins TEXT NOT NULL,
  records_per_second REAL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID`,
];

const times: readonly string[] = [
  "ALTER TABLE extent ADD COLUMN min_timestamp INTEGER",
  "ALTER TABLE main.staging ADD COLUMN min_timestamp INTEGER",
];

export const migrations: readonly Migration[] = [
  { version: 1, title: "the log", statements: first },
  {
    version: 2,
    title: "moved ends, epochs to mend, the store's name, times",
    statements: second,
  },
  { version: 3, title: "continuous queries", statements: queries },
  { version: 4, title: "watermarks of queries' commits", statements: watermarks },
  { version: 5, title: "Durable Objects and their leases", statements: objects },
  { version: 6, title: "access tokens", statements: tokens },
  { version: 7, title: "least times", statements: times },
];

/**
 * For a connection that belongs to one process alone: staging in memory instead of in the file.
 * SQLite looks for an unqualified table in `temp` first, so the same statements then write half
 * the pages. A server's connections come and go, so they use the tables of the file.
 */
export const privateStaging: readonly string[] = [
  "PRAGMA temp_store = MEMORY",
  ...stagingTables.map((table) => `CREATE TEMP TABLE ${table.name} ${table.columns}`),
  "ALTER TABLE temp.staging ADD COLUMN min_timestamp INTEGER",
  `CREATE INDEX temp.${stagingIndex}`,
];
