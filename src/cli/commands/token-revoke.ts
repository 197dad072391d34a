/** `streamctl token revoke`. */
import { parseToken } from "../../wire/http/access-token.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { defineCommand, exitOk } from "../command.ts";

export const tokenRevokeCommand = defineCommand({
  name: "token revoke",
  summary: "Revoke an access token: within five seconds no worker takes it",
  positionals: [{ name: "ID", doc: "the token's id, or the token itself" }],
  options: clientOptions,
  examples: ["streamctl token revoke 5f1c09a2b3d4e5f6"],
  async run({ io, options, positionals: [given = ""] }) {
    const tokenId = parseToken(given)?.tokenId ?? given;
    await apiClient(options).send("DELETE", `/v1/tokens/${encodeURIComponent(tokenId)}`);
    if (options.output === "json") await writeJson(io, { revoked: tokenId });
    else await io.stdout.write(`Revoked token ${tokenId}\n`);
    return exitOk;
  },
});
