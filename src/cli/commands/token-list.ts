/** `streamctl token list`. */
import { tokenList } from "../../wire/http/token-shapes.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { defineCommand, exitOk } from "../command.ts";
import { humanTime } from "../numbers.ts";
import { renderTable } from "../table.ts";

export const tokenListCommand = defineCommand({
  name: "token list",
  summary: "List access tokens, without their secrets",
  positionals: [],
  options: clientOptions,
  examples: ["streamctl token list"],
  async run({ io, options }) {
    const { tokens } = await apiClient(options).call(tokenList, "GET", "/v1/tokens");
    if (options.output === "json") await writeJson(io, { tokens });
    else if (tokens.length === 0) {
      await io.stdout.write("No tokens. Make one with `streamctl token create`.\n");
    } else {
      const columns = [
        ...[{ title: "ID" }, { title: "TOPICS" }, { title: "FOR" }, { title: "ORIGINS" }],
        { title: "RECORDS/S", align: "right" },
        { title: "EXPIRES" },
      ] as const;
      const rows = tokens.map((token) => [
        token.tokenId,
        token.topics.join(","),
        token.operations.join(","),
        token.origins.join(",") || null,
        token.recordsPerSecondMax,
        token.expiresAt === null ? null : humanTime(token.expiresAt),
      ]);
      await io.stdout.write(renderTable(io.stdout, columns, rows));
    }
    return exitOk;
  },
});
