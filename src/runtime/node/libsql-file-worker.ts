/** Entry of the metadata thread: owns the connection, answers batches in the order they come. */
import type { SqlStatement } from "../../meta/sql-database.ts";
import { LibsqlConnection } from "./libsql-connection.ts";
import { type ThreadReply, type ThreadRequest, toThreadError } from "./libsql-thread.ts";

interface ThreadScope {
  onmessage: ((event: MessageEvent<ThreadRequest>) => void) | null;
  postMessage(reply: ThreadReply): void;
}

const scope = globalThis as unknown as ThreadScope;
const texts: string[] = [];
let connection: LibsqlConnection | null = null;

scope.onmessage = ({ data }) => {
  try {
    scope.postMessage({ id: data.id, results: answer(data), error: null, isBroken: false });
  } catch (error) {
    const isBroken = connection?.isBroken ?? true;
    scope.postMessage({ id: data.id, results: null, error: toThreadError(error), isBroken });
  }
};

function answer(request: ThreadRequest): ThreadReply["results"] {
  switch (request.kind) {
    case "open":
      connection = new LibsqlConnection(request.options);
      return null;
    case "close":
      connection?.close();
      connection = null;
      return null;
    case "batch":
      // Numbered before anything can fail, since the other side has counted them.
      texts.push(...request.texts);
      if (connection === null) throw new Error("The metadata connection is closed");
      return connection.batch(request.statements.map(toStatement), request.mode);
  }
}

function toStatement([text, args]: readonly [number, SqlStatement["args"]]): SqlStatement {
  const sql = texts[text];
  if (sql === undefined) throw new Error(`Broken invariant: no statement text ${text}`);
  return { sql, args };
}
