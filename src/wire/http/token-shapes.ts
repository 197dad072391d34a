/** The JSON of `/v1/tokens`. */
import * as z from "zod";

const timestamp = z.int().describe("Milliseconds since 1970, UTC.");

const origin = z
  .string()
  .refine((given) => URL.canParse(given) && new URL(given).origin === given, {
    message: "an origin such as https://shop.example",
  });

export const tokenOperation = z.enum(["read", "write"]);

export const createTokenRequest = z
  .strictObject({
    topics: z.array(z.string()).min(1).max(100).describe("Topics by name; they must exist."),
    operations: z.array(tokenOperation).min(1).max(2).describe("What the token is good for."),
    origins: z
      .array(origin)
      .max(100)
      .default([])
      .describe("Pages that may use it, and nobody else then; none: it is for devices."),
    recordsPerSecondMax: z
      .number()
      .positive()
      .max(1_000_000)
      .optional()
      .describe("Bound of what it writes, in each worker; ten seconds' worth may come at once."),
    ttlMs: z
      .int()
      .min(1)
      .max(3_155_760_000_000)
      .optional()
      .describe("How long it is good for, in milliseconds; without it, until it is revoked."),
  })
  .meta({ id: "CreateTokenRequest" });

const tokenDetails = z
  .object({
    tokenId: z.string(),
    topics: z.array(z.string()),
    operations: z.array(tokenOperation),
    origins: z.array(z.string()),
    recordsPerSecondMax: z.number().nullable(),
    createdAt: timestamp,
    expiresAt: timestamp.nullable(),
  })
  .meta({ id: "TokenDetails" });

export const createdToken = tokenDetails
  .extend({ token: z.string().describe("The token itself, which is shown this once.") })
  .meta({ id: "CreatedToken" });

export const tokenList = z.object({ tokens: z.array(tokenDetails) }).meta({ id: "TokenList" });

export type TokenDetails = z.infer<typeof tokenDetails>;
export type CreatedToken = z.infer<typeof createdToken>;
