import type { MessageShape, MessageTable, VersionRange } from "./field-table.ts";

/** A Kafka API without the TypeScript types of its messages. */
export interface ApiShape {
  /** Kafka's name without "Request": `Produce`. */
  readonly name: string;
  readonly key: number;
  /** The versions that both tables describe. */
  readonly versions: VersionRange;
  /** What ApiVersions announces; differs from `versions` for Produce only. */
  readonly advertisedVersions: VersionRange;
  readonly request: MessageShape;
  readonly response: MessageShape;
}

/** A Kafka API: key, versions and the tables of its request and response. */
export interface Api<Request, Response> extends ApiShape {
  readonly request: MessageTable<Request>;
  readonly response: MessageTable<Response>;
}

/** Declares an API of which request and response have the same versions, as all in Kafka do. */
export function defineApi<Request, Response>(description: {
  readonly name: string;
  readonly key: number;
  readonly advertisedVersions?: VersionRange;
  readonly request: MessageTable<Request>;
  readonly response: MessageTable<Response>;
}): Api<Request, Response> {
  const { versions } = description.request;
  return {
    ...description,
    versions,
    advertisedVersions: description.advertisedVersions ?? versions,
  };
}
