import { basename } from "node:path";
import type { Plugin } from "esbuild";
import { version } from "../../src/runtime/node/version.ts";
import { openApiDocument } from "../../src/wire/http/openapi.ts";
import { type RouteSpec, routes } from "../../src/wire/http/routes.ts";

const textName = "openapi.txt";
const routesName = "routes.txt";

/** In place of what in zod turns shapes into JSON Schema. */
const schemasStandIn = `const refuse = () => {
  throw new Error("The Worker's bundle makes no JSON Schema");
};
export const createToJSONSchemaMethod = () => refuse;
export const createStandardJSONSchemaMethod = () => refuse;
export const toJSONSchema = refuse;
export const JSONSchemaGenerator = refuse;`;

/**
 * Writes the OpenAPI document when the bundle is made, as a text beside it: what makes it from
 * shapes, zod's part of it above all, is two hundredths of what the JavaScript may weigh. Of the
 * table of routes what serves them is left, so that shapes go too of which only it tells.
 */
export function withoutOpenApi(texts: Map<string, string>): Plugin {
  return {
    name: "without-openapi",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /[\\/]openapi\.ts$/ }, () => ({
        path: "openapi",
        namespace: "written",
      }));
      onResolve(
        { filter: /[\\/](?:json-schema-(?:generator|processors)|to-json-schema)\.js$/ },
        ({ path }) => ({
          path: basename(path, ".js"),
          namespace: "schemas",
        }),
      );
      onLoad({ filter: /[\\/]wire[\\/]http[\\/]routes\.ts$/ }, () => {
        texts.set(routesName, JSON.stringify(servedRoutes()));
        const contents = `import text from "./${routesName}";
export const routes = JSON.parse(text);`;
        return { contents };
      });
      onResolve({ filter: /^\.\/(?:openapi|routes)\.txt$/ }, ({ path }) => ({
        path,
        external: true,
      }));
      onLoad({ filter: /./, namespace: "schemas" }, () => ({ contents: schemasStandIn }));
      onLoad({ filter: /^openapi$/, namespace: "written" }, () => {
        texts.set(textName, openApiDocument(version));
        const contents = `import document from "./${textName}";
export const openApiDocument = () => document;`;
        return { contents };
      });
    },
  };
}

function servedRoutes(): Record<string, Partial<RouteSpec>> {
  const entries = (Object.entries(routes) as [string, RouteSpec][]).map(([name, route]) => {
    const { method, path, isOpen, isCostly, tokenOperation } = route;
    return [name, { method, path, isOpen, isCostly, tokenOperation }];
  });
  return Object.fromEntries(entries);
}
