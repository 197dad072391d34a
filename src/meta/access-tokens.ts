/**
 * Access tokens: what a page or a device shows instead of the workers' shared secret. A row holds
 * the hash of a token's secret, so that a copy of the metadata lets nobody in.
 */
import { StreamError } from "../base/stream-error.ts";
import type { SqlDatabase, SqlValue } from "./sql-database.ts";
import { databaseNow, numberAt, numberOrNullAt, rowsOf, statement, textAt } from "./sql-values.ts";

/** All are read together, so there is a bound. */
export const accessTokensMax = 10_000;

export type TokenOperation = "read" | "write";

export interface NewAccessToken {
  readonly tokenId: string;
  /** SHA-256 of the secret, in hexadecimal digits. */
  readonly secretHash: string;
  /** Topics by name: a topic made again under its name is meant, too. */
  readonly topics: readonly string[];
  readonly operations: readonly TokenOperation[];
  /** Pages that may use it; none: those that may use the server anyway. */
  readonly origins: readonly string[];
  /** Null: no bound. */
  readonly recordsPerSecondMax: number | null;
  /** From now on; null: for ever. */
  readonly lifeMs: number | null;
}

export interface AccessToken extends Omit<NewAccessToken, "lifeMs"> {
  readonly createdAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
}

/** The tokens as of a version, which rises with each change. */
export interface AccessTokenList {
  readonly version: number;
  /** Undefined: as they were at the version that the caller knows. */
  readonly tokens: readonly AccessToken[] | undefined;
}

/** The tokens of a namespace. Every method may be called again when its answer was lost. */
export interface AccessTokenStore {
  /** @throws StreamError `invalid_request` when there are too many. */
  add(token: NewAccessToken): Promise<AccessToken>;
  list(knownVersion: number): Promise<AccessTokenList>;
  /** Whether there was such a token. */
  remove(tokenId: string): Promise<boolean>;
}

const columns =
  "token_id, secret_hash, topics, operations, origins, records_per_second, created_at, expires_at";

const raiseVersion = "UPDATE namespace SET tokens_version = tokens_version + 1 WHERE id = 1";

/** What expired so long ago is not listed any more. */
const expiredKeptMs = 7 * 86_400_000;

export class MetadataAccessTokens implements AccessTokenStore {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async add(token: NewAccessToken): Promise<AccessToken> {
    const { tokenId, secretHash, topics, operations, origins } = token;
    const lists = [topics, operations, origins].map((list) => JSON.stringify(list));
    const results = await this.#database.batch(
      [
        statement(`DELETE FROM access_token WHERE expires_at < ${databaseNow} - ?1`, expiredKeptMs),
        statement(
          `INSERT INTO access_token (${columns})
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ${databaseNow}, ${databaseNow} + ?7
WHERE (SELECT count(*) FROM access_token) < ?8 ON CONFLICT DO NOTHING`,
          ...[tokenId, secretHash, ...lists, token.recordsPerSecondMax, token.lifeMs],
          accessTokensMax,
        ),
        statement(raiseVersion),
        statement(`SELECT ${columns} FROM access_token WHERE token_id = ?1`, tokenId),
      ],
      "write",
    );
    const row = rowsOf(results, 3)[0];
    if (row !== undefined) return tokenOf(row);
    throw new StreamError(
      "invalid_request",
      `Cannot make another token: there are ${accessTokensMax}; revoke some`,
      { details: { field: "topics", expected: `at most ${accessTokensMax} tokens` } },
    );
  }

  async list(knownVersion: number): Promise<AccessTokenList> {
    const results = await this.#database.batch(
      [
        statement("SELECT tokens_version FROM namespace WHERE id = 1"),
        statement(
          `SELECT ${columns} FROM access_token
WHERE (SELECT tokens_version FROM namespace WHERE id = 1) <> ?1 ORDER BY created_at, token_id`,
          knownVersion,
        ),
      ],
      "read",
    );
    const version = numberAt(rowsOf(results, 0)[0], 0);
    const isKnown = version === knownVersion;
    return { version, tokens: isKnown ? undefined : rowsOf(results, 1).map(tokenOf) };
  }

  async remove(tokenId: string): Promise<boolean> {
    const results = await this.#database.batch(
      [statement("DELETE FROM access_token WHERE token_id = ?1", tokenId), statement(raiseVersion)],
      "write",
    );
    return results[0]?.rowsAffected === 1;
  }
}

function tokenOf(row: readonly SqlValue[]): AccessToken {
  const rate = row[5];
  return {
    tokenId: textAt(row, 0),
    secretHash: textAt(row, 1),
    topics: JSON.parse(textAt(row, 2)) as string[],
    operations: JSON.parse(textAt(row, 3)) as TokenOperation[],
    origins: JSON.parse(textAt(row, 4)) as string[],
    recordsPerSecondMax: typeof rate === "number" ? rate : null,
    createdAt: numberAt(row, 6),
    expiresAt: numberOrNullAt(row, 7),
  };
}
