/** `streamctl token create`. */
import { option, toggle } from "../../runtime/node/option-kinds.ts";
import { UsageError } from "../../runtime/node/options.ts";
import { createdToken } from "../../wire/http/token-shapes.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { durationSchema, listOption, rateSchema } from "../client-kinds.ts";
import { defineCommand, exitOk } from "../command.ts";
import { humanTime } from "../numbers.ts";

export const tokenCreateCommand = defineCommand({
  name: "token create",
  summary: "Make an access token for pages or devices; it is shown this once",
  positionals: [],
  options: {
    topic: listOption("TOPIC", "the topics that it is good for; may be repeated"),
    write: toggle({ doc: "it may append" }),
    read: toggle({ doc: "it may read" }),
    origin: listOption("ORIGIN", "pages that may use it, such as https://shop.example"),
    rate: option("N/s", "a rate such as 100/s, 50/m or 1000/h", rateSchema, {
      doc: "records that it may append, in each worker; ten seconds' worth may come at once",
      fallbackShown: "no bound",
    }),
    ttl: option("TIME", "a time such as 30d, 12h or 90s", durationSchema, {
      doc: "how long it is good for",
      fallbackShown: "until it is revoked",
    }),
    ...clientOptions,
  },
  examples: [
    "streamctl token create --topic clicks --write --origin https://shop.example --rate 100/s --ttl 30d",
    "streamctl token create --topic sensors --write --rate 10/s",
  ],
  async run({ io, options }) {
    const { topic: topics, write, read, origin: origins, rate, ttl } = options;
    if (topics === undefined) throw new UsageError("--topic is missing: name a topic or several");
    if (!write && !read) throw new UsageError("Say what the token is for: --write, --read or both");
    const operations = [...(read ? ["read"] : []), ...(write ? ["write"] : [])];
    const json = {
      ...{ topics, operations },
      ...(origins && { origins }),
      ...(rate !== undefined && { recordsPerSecondMax: rate }),
      ...(ttl !== undefined && { ttlMs: ttl }),
    };
    const made = await apiClient(options).call(createdToken, "POST", "/v1/tokens", { json });
    if (options.output === "json") await writeJson(io, made);
    else {
      await io.stdout.write(`${made.token}\n`);
      const end =
        made.expiresAt === null
          ? "good until it is revoked"
          : `good until ${humanTime(made.expiresAt)}`;
      await io.stderr.write(`Token ${made.tokenId}, ${end}. Keep it now: it is not shown again.\n`);
    }
    return exitOk;
  },
});
