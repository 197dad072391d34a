/**
 * The reference in docs/KAFKA.md: the APIs with their versions and what each version brought, the
 * topic configs, and what our errors are called in Kafka's protocol.
 */
import { type ErrorCode, errorKinds } from "../../base/stream-error.ts";
import { topicConfigs } from "../../meta/topic-config.ts";
import { kafkaErrorNames } from "../../server/kafka/error-names.ts";
import { kafkaApis } from "../../wire/kafka/api-registry.ts";
import type { ApiShape } from "../../wire/kafka/api-table.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import type {
  FieldShape,
  FieldType,
  MessageShape,
  VersionRange,
} from "../../wire/kafka/field-table.ts";
import { codeSpan, markdownTable, withBlock } from "./page-block.ts";

/** `page` (docs/KAFKA.md) with the reference made anew. */
export function withKafkaReference(page: string): string {
  const parts = { "kafka-apis": apis(), "topic-configs": configs(), "kafka-errors": errors() };
  const sources = {
    "kafka-apis": "src/wire/kafka/api-registry.ts",
    "topic-configs": "src/meta/topic-config.ts",
    "kafka-errors": "src/server/kafka/error-names.ts",
  };
  let renewed = page;
  for (const name of ["kafka-apis", "topic-configs", "kafka-errors"] as const) {
    renewed = withBlock(renewed, { name, source: sources[name], markdown: parts[name] });
  }
  return renewed;
}

function apis(): string {
  return markdownTable(
    ["API", "key", "versions", "flexible", "fields by version: + comes, − goes"],
    kafkaApis.map((api) => [
      api.name,
      String(api.key),
      versionsOf(api),
      flexibleOf(api.request),
      fieldHistory(api),
    ]),
  );
}

function versionsOf({ versions, advertisedVersions }: ApiShape): string {
  const served = rangeText(versions);
  const announced = rangeText(advertisedVersions);
  return served === announced ? served : `${served} (announced ${announced})`;
}

function rangeText({ min, max }: VersionRange): string {
  return min === max ? String(min) : `${min}–${max}`;
}

function flexibleOf({ flexibleSince, versions }: MessageShape): string {
  if (flexibleSince === undefined) return "never";
  return flexibleSince <= versions.min
    ? "all"
    : rangeText({ min: flexibleSince, max: versions.max });
}

interface Change {
  readonly version: number;
  readonly text: string;
}

/** Which fields come and go with each version that is served after the first. */
function fieldHistory(api: ApiShape): string {
  const changes = [...changesOf(api.request.fields, api), ...changesOf(api.response.fields, api)];
  const byVersion = Map.groupBy(changes, ({ version }) => version);
  return [...byVersion.keys()]
    .toSorted((a, b) => a - b)
    .map((version) => {
      const texts = new Set(byVersion.get(version)?.map(({ text }) => text));
      return `**${version}** ${[...texts].join(" ")}`;
    })
    .join("<br>");
}

function changesOf(fields: Readonly<Record<string, FieldShape>>, api: ApiShape): Change[] {
  const { min, max } = api.versions;
  return Object.entries(fields).flatMap(([name, { type, options }]) => {
    const since = options.since ?? 0;
    const gone = (options.until ?? max) + 1;
    const comes =
      since > min && since <= max ? [{ version: since, text: codeSpan(`+${name}`) }] : [];
    const goes = gone > min && gone <= max ? [{ version: gone, text: codeSpan(`−${name}`) }] : [];
    // What lies within a field that comes anew comes with it.
    const inner = changesOf(innerFields(type), api).filter(
      ({ version }) => version > since && version < gone,
    );
    return [...comes, ...goes, ...inner];
  });
}

function innerFields(type: FieldType): Readonly<Record<string, FieldShape>> {
  if (type.kind === "array") return innerFields(type.element);
  return type.kind === "struct" ? type.fields : {};
}

function configs(): string {
  const ours = [...topicConfigs.values()];
  const kept = ours.filter(({ isEffective }) => !isEffective).map(({ name }) => codeSpan(name));
  const table = markdownTable(
    ["config", "type", "default", "meaning"],
    ours
      .filter(({ isEffective }) => isEffective)
      .map(({ name, type, defaultValue, doc }) => [
        codeSpan(name),
        type,
        defaultValue === null ? "the worker's setting" : codeSpan(defaultValue),
        doc,
      ]),
  );
  return `${table}\n\nKept and described, without effect here: ${kept.join(", ")}.`;
}

function errors(): string {
  return markdownTable(
    ["here", "in Kafka's protocol", "code", "clients retry"],
    (Object.keys(errorKinds) as ErrorCode[]).map((code) => {
      const name = kafkaErrorNames[code];
      const error = kafkaErrors[name];
      return [codeSpan(code), codeSpan(name), String(error.code), error.retriable ? "yes" : "no"];
    }),
  );
}
