/** Writes the OpenAPI 3.1 description of the HTTP surface from its route table and zod shapes. */
import * as z from "zod";
import { problem, problemMediaType } from "./problem.ts";
import { type BodyShape, pathParameters, type RouteSpec, routes } from "./routes.ts";

type Json = { readonly [key: string]: unknown };

/** Statuses that any guarded route may answer with. */
const commonProblems = [400, 401, 403, 503] as const;

/** The whole document as JSON text. `version`: the server's. */
export function openApiDocument(version: string): string {
  const components = new Components();
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, spec] of Object.entries(routes) as [string, RouteSpec][]) {
    const path = spec.path.replaceAll(/:(\w+)/g, "{$1}");
    const operations = paths[path] ?? {};
    operations[spec.method.toLowerCase()] = operation(name, spec, components);
    paths[path] = operations;
  }
  const document = {
    openapi: "3.1.0",
    info: {
      title: "Millrace",
      version,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      description: "A log over HTTP and the Kafka protocol, on S3, R2 or a folder.",
    },
    security: [{ bearer: [] }, {}],
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
    },
  };
  return JSON.stringify(document, null, 2);
}

function operation(name: string, spec: RouteSpec, components: Components): Json {
  return {
    operationId: name,
    summary: spec.summary,
    ...(spec.details === undefined ? {} : { description: spec.details }),
    ...(spec.isOpen ? { security: [] } : {}),
    parameters: parametersOf(spec),
    ...(spec.body === undefined
      ? {}
      : { requestBody: { required: true, content: contentOf(spec.body, components, "input") } }),
    responses: responsesOf(spec, components),
  };
}

function parametersOf(spec: RouteSpec): Json[] {
  const inPath = [...spec.path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    description: pathParameters[name],
    schema: name === "partition" ? { type: "integer", minimum: 0 } : { type: "string" },
  }));
  return [
    ...inPath,
    ...shapeParameters(spec.query, "query"),
    ...shapeParameters(spec.headers, "header"),
  ];
}

function shapeParameters(shape: z.ZodObject | undefined, place: "query" | "header"): Json[] {
  if (shape === undefined) return [];
  const { properties = {} } = z.toJSONSchema(shape, { io: "output" });
  return Object.entries(properties).map(([name, property]) => {
    if (typeof property === "boolean") return { name, in: place, schema: property };
    const { description, ...schema } = property;
    return { name, in: place, required: false, description, schema };
  });
}

function responsesOf(spec: RouteSpec, components: Components): Json {
  const { answer } = spec;
  const responses: Record<string, Json> = {
    [answer.status]: {
      description: answer.what,
      ...(answer.headers === undefined ? {} : { headers: headersOf(answer.headers) }),
      ...(answer.content === undefined
        ? {}
        : { content: contentOf(answer.content, components, "output") }),
    },
  };
  const problems = spec.isOpen ? spec.problems : [...commonProblems, ...spec.problems];
  for (const status of [...new Set(problems)].sort()) {
    const content = { [problemMediaType]: { schema: components.schema(problem, "output") } };
    responses[status] = { description: "A problem document.", content };
  }
  return responses;
}

function headersOf(headers: Readonly<Record<string, string>>): Json {
  const entries = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: "integer" } },
  ]);
  return Object.fromEntries(entries) as Json;
}

function contentOf(
  content: Readonly<Record<string, BodyShape>>,
  components: Components,
  io: "input" | "output",
): Json {
  const entries = Object.entries(content).map(([type, shape]) => {
    if (shape === "bytes") return [type, {}];
    if (shape === "text") return [type, { schema: { type: "string" } }];
    return [type, { schema: components.schema(shape, io) }];
  });
  return Object.fromEntries(entries) as Json;
}

/** Shapes with an `id` become components, referred to by name. */
class Components {
  readonly schemas: Record<string, unknown> = {};

  schema(shape: z.ZodType, io: "input" | "output"): Json {
    const { $schema: _dialect, $defs, ...schema } = z.toJSONSchema(shape, { io });
    for (const [id, definition] of Object.entries($defs ?? {})) this.#add(id, definition);
    const id = z.globalRegistry.get(shape)?.id;
    if (id === undefined) return relocate(schema) as Json;
    if (schema.$ref === undefined) this.#add(id, schema);
    return { $ref: `#/components/schemas/${id}` };
  }

  #add(id: string, definition: unknown): void {
    const { id: _id, $schema: _dialect, ...rest } = definition as Record<string, unknown>;
    this.schemas[id] = relocate(rest);
  }
}

/** References point into the document's components in place of a schema's own definitions. */
function relocate(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(relocate);
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [
    key,
    key === "$ref" && typeof value === "string"
      ? value.replace("#/$defs/", "#/components/schemas/")
      : relocate(value),
  ]);
  return Object.fromEntries(entries);
}
