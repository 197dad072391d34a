/**
 * Runs SQL statements: what HTTP and the command line hand over. Definitions change the catalog;
 * queries that go on are left to the query manager of whichever worker takes their lease; queries
 * that end run here, each in a task of its own.
 */
import { StreamError } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import {
  createQuery,
  createSqlObject,
  type NewQuery,
  readSqlCatalog,
  setQueryDesired,
} from "../meta/sql-objects.ts";
import { checkCreateTable } from "../sql/check/create-table.ts";
import { checkCreateView, planMaterializedView } from "../sql/check/create-view.ts";
import { planInsert } from "../sql/check/insert.ts";
import type { QueryPlan } from "../sql/plan/plan.ts";
import type {
  ControlQuery,
  CreateMaterializedView,
  CreateTable,
  CreateView,
  Explain,
  Insert,
  Statement,
} from "../sql/syntax/statement.ts";
import type { BoundedQueries } from "./bounded-query.ts";
import { type DropParts, dropObject, dropQueryById } from "./drop-object.ts";
import { inferColumns } from "./infer-columns.ts";
import { queryUnknown } from "./query-admin.ts";
import { encodeQueryDefinition } from "./query-definition.ts";
import { type QueryMaker, shapeOf, sourcesOf } from "./query-maker.ts";
import type { QueryManager } from "./query-manager.ts";
import { querySettingsOf } from "./query-settings.ts";
import {
  catalogOf,
  encodeStreamEntry,
  loadSqlCatalog,
  type SqlCatalogState,
} from "./sql-catalog.ts";
import type { SqlReading } from "./sql-reading.ts";
import type { StatementResult } from "./sql-result.ts";
import type { SqlSession } from "./sql-session.ts";

export interface SqlServiceParts extends DropParts {
  readonly manager: QueryManager;
  readonly maker: QueryMaker;
  readonly bounded: BoundedQueries;
  readonly reading: SqlReading;
  /** Hears of statements that define something: queries are likely to follow. */
  readonly onDefinition?: () => void;
}

export interface ExecuteOptions {
  /** EMIT CHANGES over a view goes on behind this event; absent: it begins with a snapshot. */
  readonly cursor?: string | undefined;
  /** Of such changes: called when all that is here is given, with the cursor behind it. */
  readonly onStill?: ((cursor: string) => void) | undefined;
}

export interface SqlStatement {
  readonly statement: Statement;
  /** Its own text, which its spans point into. */
  readonly text: string;
}

export class SqlService {
  readonly #parts: SqlServiceParts;

  constructor(parts: SqlServiceParts) {
    this.#parts = parts;
  }

  /**
   * Runs one statement. Rows of a query come as they are asked for; ending the iteration, or
   * aborting `signal`, ends the query.
   * @throws SqlError where the statement is wrong; StreamError as the catalog and the log do.
   */
  async execute(
    { statement, text }: SqlStatement,
    session: SqlSession,
    signal: AbortSignal,
    options: ExecuteOptions = {},
  ): Promise<StatementResult> {
    if (statement.kind === "query") {
      return this.#parts.reading.query(statement.query, { text, session, signal, ...options });
    }
    this.#parts.onDefinition?.();
    try {
      return await this.#define({ statement, text }, session);
    } finally {
      this.#parts.reading.forgetCatalog();
    }
  }

  /** Whether nothing is known here to be published to a view behind the cursor. */
  isStill(cursor: string): Promise<boolean> {
    return this.#parts.reading.isStill(cursor);
  }

  async #define(
    { statement, text }: { readonly statement: Definition; readonly text: string },
    session: SqlSession,
  ): Promise<StatementResult> {
    const state = await loadSqlCatalog(this.#parts.database);
    switch (statement.kind) {
      case "createTable":
        return this.#createTable(statement, { text, state, session });
      case "createView":
        return this.#createView(statement, { text, state, session });
      case "createMaterializedView":
        return this.#createMaterializedView(statement, { text, state, session });
      case "insert":
        return this.#insert(statement, { text, state, session });
      case "drop":
        return statement.noun === "query"
          ? dropQueryById(this.#parts, statement)
          : dropObject(this.#parts, statement, state);
      case "show": {
        const { showObjects } = await shows();
        return showObjects(statement, { state, session, manager: this.#parts.manager, text });
      }
      case "describe":
        return (await shows()).describeObject(statement, state, text);
      case "explain":
        return this.#explain(statement, { text, state, session });
      case "controlQuery":
        return this.#control(statement);
      case "set":
        session.set(statement.key.value, statement.value.value);
        return { kind: "done", message: `Set ${statement.key.value}` };
      case "reset":
        session.reset(statement.key?.value ?? null);
        return { kind: "done", message: `Reset ${statement.key?.value ?? "all options"}` };
    }
  }

  async #createTable(statement: CreateTable, run: StatementRun): Promise<StatementResult> {
    const name = nameOf(statement);
    if (statement.ifNotExists && run.state.objects.has(name)) return exists(name);
    const options = checkOptionsOf(run, { isBounded: false });
    const draft = checkCreateTable(statement, run.text, options);
    const topic = await this.#topicFor(draft.topic, draft.options["partitions"]);
    const isInferred = draft.columns.length === 0 && topic !== undefined;
    const inferred = isInferred ? await inferColumns(this.#parts, topic, draft.format) : [];
    const entry = isInferred ? checkCreateTable(statement, run.text, options, inferred) : draft;
    if (entry.columns.length === 0) {
      throw new StreamError(
        "sql_invalid",
        `Cannot create "${name}": its topic "${entry.topic}" has no records that columns could be ` +
          "inferred from; list them in parentheses",
      );
    }
    await createSqlObject(this.#parts.database, {
      ...{ name, kind: statement.noun, statement: run.text },
      definition: encodeStreamEntry(entry),
    });
    return { kind: "done", message: `Created ${statement.noun} ${name}` };
  }

  /** The topic that a stream stands for, made where its count of partitions is given. */
  async #topicFor(name: string, partitions: string | undefined): Promise<TopicInfo | undefined> {
    const { topics } = this.#parts;
    const found = await topics.byName(name);
    if (found !== undefined || partitions === undefined) return found;
    const partitionCount = Number(partitions);
    return topics.create({ name, partitionCount, replicationFactor: -1, config: {} });
  }

  async #createView(statement: CreateView, run: StatementRun): Promise<StatementResult> {
    const name = nameOf(statement);
    if (statement.ifNotExists && run.state.objects.has(name)) return exists(name);
    checkCreateView(statement, run.text, checkOptionsOf(run, { isBounded: false }));
    await createSqlObject(this.#parts.database, {
      ...{ name, kind: "view", statement: run.text, definition: "{}" },
    });
    return { kind: "done", message: `Created view ${name}` };
  }

  async #createMaterializedView(
    statement: CreateMaterializedView,
    run: StatementRun,
  ): Promise<StatementResult> {
    const { database, maker, topics, manager } = this.#parts;
    const name = nameOf(statement);
    if (statement.ifNotExists && run.state.objects.has(name)) return exists(name);
    if (run.state.objects.has(name)) throw nameTaken(name);
    const options = checkOptionsOf(run, { isBounded: false });
    const { plan, entry } = planMaterializedView(statement, run.text, options);
    const queryId = maker.newId(name);
    const config: Record<string, string> =
      entry.changes === "update" ? { "cleanup.policy": "compact" } : { "retention.ms": "-1" };
    const output = await topics.create({
      ...{ name, replicationFactor: -1, config, writer: queryId },
      partitionCount: Number(entry.options["partitions"] ?? 1),
    });
    try {
      const query = await this.#defined(plan, {
        ...{ queryId, target: name, output, statement: run.text, run },
        keyColumns: keyColumnsOf(plan, entry.primaryKey),
        options: entry.options,
      });
      const definition = encodeStreamEntry(entry);
      await createSqlObject(database, {
        ...{ name, kind: "materialized_view", statement: run.text, definition, query },
      });
    } catch (error) {
      await this.#discard(queryId);
      throw error;
    }
    await manager.look();
    return { kind: "done", message: `Created materialized view ${name}` };
  }

  async #insert(statement: Insert, run: StatementRun): Promise<StatementResult> {
    const { database, maker, topics, manager, bounded } = this.#parts;
    const { plan, target } = planInsert(
      statement,
      run.text,
      checkOptionsOf(run, { isBounded: false }),
    );
    const output =
      (await this.#topicFor(target.topic, target.options["partitions"])) ??
      (await topics.create({
        ...{ name: target.topic, partitionCount: -1, replicationFactor: -1, config: {} },
      }));
    const keyColumns = keyColumnsOf(plan, target.primaryKey);
    if (sourcesOf(plan.root).length === 0) {
      const shape = shapeOf(plan.root, keyColumns);
      const count = await bounded.insertInto(output, { plan, shape, session: run.session });
      return { kind: "done", message: `Inserted ${count} ${count === 1 ? "row" : "rows"}` };
    }
    const queryId = maker.newId(target.name);
    try {
      const query = await this.#defined(plan, {
        ...{ queryId, target: target.name, output, statement: run.text, keyColumns, run },
        options: target.options,
      });
      await createQuery(database, query);
    } catch (error) {
      await this.#discard(queryId);
      throw error;
    }
    await manager.look();
    return { kind: "done", message: `Started query ${queryId}` };
  }

  async #defined(
    plan: QueryPlan,
    options: {
      readonly queryId: string;
      readonly target: string;
      readonly output: TopicInfo;
      readonly statement: string;
      readonly keyColumns: readonly number[];
      /** WITH of the view or of the target: they go before what the session has set. */
      readonly options: Readonly<Record<string, string>>;
      readonly run: StatementRun;
    },
  ): Promise<NewQuery> {
    const { queryId, target, output, statement, keyColumns, run } = options;
    const { querySettings } = run.session;
    const definition = await this.#parts.maker.define({
      ...{ queryId, plan, output },
      shape: shapeOf(plan.root, keyColumns),
      settings: querySettingsOf(querySettings, options.options),
    });
    return { queryId, target, statement, definition: encodeQueryDefinition(definition) };
  }

  /**
   * Topics of a query that came to nothing. It may be there all the same, when only the answer was
   * lost: then it keeps them.
   */
  async #discard(queryId: string): Promise<void> {
    const { topics, platform, database } = this.#parts;
    try {
      const { queries } = await readSqlCatalog(database);
      if (queries.some((query) => query.queryId === queryId)) return;
      for (const topic of await topics.list()) {
        if (topic.writer === queryId) await topics.delete(topic.topicId);
      }
    } catch (error) {
      platform.log.warn("Cannot delete the topics of a query that was not made", {
        queryId,
        error,
      });
    }
  }

  /** A read of a view is answered by its table, and a topic that is not there yet has no size. */
  async #explain(statement: Explain, run: StatementRun): Promise<StatementResult> {
    const { explainedPlan, explainResult } = await shows();
    const catalog = catalogOf(run.state);
    const explained = explainedPlan(statement, { ...run, catalog });
    const { plan, isRead } = explained;
    const sources = sourcesOf(plan.root);
    const { text, session } = run;
    if (isRead && statement.statement.kind === "query") {
      const { query } = statement.statement;
      const notes = await this.#parts.reading.explainPull(query, { text, session });
      if (notes !== null) return explainResult(explained, null, notes);
    }
    const hasTopics = sources.every(
      ({ stream }) => catalog.lookup(stream)?.kind !== "materialized view",
    );
    if (!isRead || !hasTopics || sources.length === 0) return explainResult(explained, null);
    try {
      return explainResult(explained, await this.#parts.bounded.sizeOf(plan));
    } catch (error) {
      if (error instanceof StreamError && error.code === "topic_unknown") {
        return explainResult(explained, null);
      }
      throw error;
    }
  }

  async #control({ act, name }: ControlQuery): Promise<StatementResult> {
    const { database, manager } = this.#parts;
    const queryId = name.parts.map(({ text }) => text).join(".");
    const desired = act === "pause" ? "paused" : "running";
    if (!(await setQueryDesired(database, { queryId, desired }))) throw queryUnknown(queryId);
    await manager.look();
    return { kind: "done", message: `${act === "pause" ? "Paused" : "Resumed"} query ${queryId}` };
  }
}

/** What shows is loaded when it is asked for: a Worker starts sooner without it. */
function shows() {
  return import("./show-objects.ts");
}

type Definition = Exclude<Statement, { kind: "query" }>;

interface StatementRun {
  readonly text: string;
  readonly state: SqlCatalogState;
  readonly session: SqlSession;
}

function checkOptionsOf(run: StatementRun, { isBounded }: { readonly isBounded: boolean }) {
  return { catalog: catalogOf(run.state), timeZone: run.session.timeZone, isBounded };
}

/** Places of the key's columns in the plan's result; without a key the result's own. */
function keyColumnsOf({ root }: QueryPlan, primaryKey: readonly string[]): readonly number[] {
  if (primaryKey.length === 0) return root.key ?? [];
  return primaryKey.map((column) => root.columns.findIndex(({ name }) => name === column));
}

export function nameOf({ name }: { readonly name: CreateTable["name"] }): string {
  return name.parts.map(({ text }) => text).join(".");
}

function exists(name: string): StatementResult {
  return { kind: "done", message: `"${name}" exists already` };
}

function nameTaken(name: string): StreamError {
  return new StreamError("sql_object_exists", `Cannot create "${name}": it exists already`);
}
