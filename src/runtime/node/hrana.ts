/**
 * A batch of statements as Hrana 2 over HTTP has it, in JSON: the body of `POST /v2/pipeline`, and
 * what is read out of its answer (libsql/docs/HRANA_2_SPEC.md). One request opens a stream, runs
 * the batch as a transaction, and closes the stream.
 *
 * The body is put together as text, from texts of statements that were made JSON once: a Durable
 * Object publishes dozens of times a second, with the same ten statements each time (ADR 67).
 */
import type { SqlResult, SqlStatement, SqlValue } from "../../meta/sql-database.ts";

/** What the server refused, or an answer that is none; `code` as SQLite or Hrana name it. */
export class HranaError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.name = "HranaError";
    this.code = code;
  }
}

const begins = { write: "BEGIN IMMEDIATE", read: "BEGIN TRANSACTION READONLY" } as const;

/** Texts of statements are constants of the source; past this many all are made anew. */
const textsMax = 2_000;
const jsonOfTexts = new Map<string, string>();

const integerMax = 2 ** 63;

/** @throws RangeError for numbers that no column can hold. */
export function pipelineBody(statements: readonly SqlStatement[], mode: "read" | "write"): string {
  const steps = [`{"stmt":{"sql":"${begins[mode]}","want_rows":false}}`];
  // Each step runs when the one before it has: what comes after a failure is left out.
  for (const { sql, args } of statements) {
    steps.push(
      `{"condition":{"type":"ok","step":${steps.length - 1}},` +
        `"stmt":{"sql":${jsonOf(sql)},"args":[${args.map(valueJson).join(",")}]}}`,
    );
  }
  const last = steps.length - 1;
  const isOver = `{"type":"ok","step":${last + 1}}`;
  steps.push(
    `{"condition":{"type":"ok","step":${last}},"stmt":{"sql":"COMMIT","want_rows":false}}`,
    `{"condition":{"type":"not","cond":${isOver}},"stmt":{"sql":"ROLLBACK","want_rows":false}}`,
  );
  return `{"requests":[{"type":"batch","batch":{"steps":[${steps.join(",")}]}},{"type":"close"}]}`;
}

function jsonOf(sql: string): string {
  const known = jsonOfTexts.get(sql);
  if (known !== undefined) return known;
  if (jsonOfTexts.size >= textsMax) jsonOfTexts.clear();
  const json = JSON.stringify(sql);
  jsonOfTexts.set(sql, json);
  return json;
}

function valueJson(value: SqlValue): string {
  if (value === null) return '{"type":"null"}';
  if (typeof value === "string") return `{"type":"text","value":${JSON.stringify(value)}}`;
  if (typeof value === "number") return numberJson(value);
  return `{"type":"blob","base64":"${value.toBase64()}"}`;
}

/** Whole numbers are integers in our schema, although JavaScript knows only floats. */
function numberJson(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`Cannot bind ${value}: it is not finite`);
  if (!Number.isInteger(value)) return `{"type":"float","value":${value}}`;
  if (Number.isSafeInteger(value)) return `{"type":"integer","value":"${value}"}`;
  if (value < -integerMax || value >= integerMax) {
    throw new RangeError(`Cannot bind ${value}: it is not an integer of 64 bits`);
  }
  return `{"type":"integer","value":"${BigInt(value)}"}`;
}

interface Failure {
  readonly message?: unknown;
  readonly code?: unknown;
}

interface StatementResult {
  readonly rows: readonly (readonly HranaValue[])[];
  readonly affected_row_count: number;
}

interface HranaValue {
  readonly type: string;
  readonly value?: string | number;
  readonly base64?: string;
}

interface BatchResult {
  readonly step_results: readonly (StatementResult | null)[];
  readonly step_errors: readonly (Failure | null)[];
}

/**
 * The results of the `count` statements, in order.
 * @throws HranaError of the step that failed; RangeError for an integer outside ±2^53.
 */
export function pipelineResults(answer: string, count: number): SqlResult[] {
  const { step_results: results, step_errors: errors } = batchResult(JSON.parse(answer));
  if (!Array.isArray(results) || !Array.isArray(errors)) throw strange("the batch has no results");
  // BEGIN is before the statements, and COMMIT behind them.
  for (let step = 0; step < count + 2; step++) {
    const failure = errors[step];
    if (failure) throw failureError(failure);
    if (results[step]) continue;
    throw new HranaError("TRANSACTION_CLOSED", `Step ${step} of the batch was not carried out`);
  }
  return results.slice(1, count + 1).map((result: StatementResult) => ({
    rows: result.rows.map((row) => row.map(toSqlValue)),
    rowsAffected: result.affected_row_count,
  }));
}

function batchResult(answer: unknown): BatchResult {
  const { results } = (answer ?? {}) as { readonly results?: readonly unknown[] };
  const [first] = Array.isArray(results) ? results : [];
  const { type, response, error } = (first ?? {}) as {
    readonly type?: string;
    readonly response?: { readonly type?: string; readonly result?: BatchResult };
    readonly error?: Failure;
  };
  if (type === "error" && error) throw failureError(error);
  if (type !== "ok" || response?.type !== "batch" || !response.result) {
    throw strange("it has no result of the batch");
  }
  return response.result;
}

/** What a server says of itself in place of an answer: its status, and why. */
export function refusalError(status: number, body: string): HranaError {
  const what = `Server returned HTTP status ${status}`;
  try {
    const { message, code } = JSON.parse(body) as Failure;
    if (typeof message !== "string") return new HranaError("SERVER_ERROR", what);
    return new HranaError(typeof code === "string" ? code : "UNKNOWN", `${what}: ${message}`);
  } catch {
    const text = body.trim();
    return new HranaError("SERVER_ERROR", text === "" ? what : `${what}: ${text.slice(0, 500)}`);
  }
}

function failureError({ code, message }: Failure): HranaError {
  return new HranaError(typeof code === "string" ? code : "UNKNOWN", String(message));
}

function strange(why: string): HranaError {
  return new HranaError("HRANA_PROTO_ERROR", `The answer is not what the protocol has: ${why}`);
}

function toSqlValue({ type, value, base64 }: HranaValue): SqlValue {
  switch (type) {
    case "null":
      return null;
    case "integer":
      return safeInteger(String(value));
    case "float":
      return Number(value);
    case "text":
      return String(value);
    case "blob":
      return Uint8Array.fromBase64(base64 ?? "");
    default:
      throw strange(`a value of type ${type}`);
  }
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`Cannot take the integer ${text}: JavaScript's numbers end at 2^53`);
}
