/** `/v1/tokens`: access tokens are made, listed and revoked. */
import { Hono } from "hono";
import { StreamError } from "../../base/stream-error.ts";
import type { AccessToken } from "../../meta/access-tokens.ts";
import { formatToken, tokenIdBytes, tokenSecretBytes } from "../../wire/http/access-token.ts";
import { emptyQuery } from "../../wire/http/queries.ts";
import {
  type CreatedToken,
  createTokenRequest,
  type TokenDetails,
} from "../../wire/http/token-shapes.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { jsonAnswer } from "./json-answer.ts";
import { receiveJson } from "./request-json.ts";
import { hashOfSecret } from "./token-gate.ts";
import { requireTopic } from "./topic-lookup.ts";

export function tokensApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  const { tokens: store, topics, platform } = context;
  const { book } = endpoints.gate;
  endpoints.mount(app, "createToken", async (c) => {
    const request = await receiveJson(createTokenRequest, c, context);
    for (const name of request.topics) await requireTopic(topics, name);
    const tokenId = platform.random.bytes(tokenIdBytes).toHex();
    const secret = platform.random
      .bytes(tokenSecretBytes)
      .toBase64({ alphabet: "base64url", omitPadding: true });
    const made = await store.add({
      tokenId,
      secretHash: await hashOfSecret(secret),
      topics: [...new Set(request.topics)],
      operations: [...new Set(request.operations)],
      origins: [...new Set(request.origins)],
      recordsPerSecondMax: request.recordsPerSecondMax ?? null,
      lifeMs: request.ttlMs ?? null,
    });
    book.forget();
    const answer: CreatedToken = { ...details(made), token: formatToken({ tokenId, secret }) };
    c.header("Cache-Control", "no-store");
    return jsonAnswer(c, answer, 201);
  });
  endpoints.mount(app, "listTokens", async (c) => {
    checkQuery(emptyQuery, c.req.url);
    const { tokens = [] } = await store.list(-1);
    return jsonAnswer(c, { tokens: tokens.map(details) });
  });
  endpoints.mount(app, "revokeToken", async (c) => {
    const tokenId = c.req.param("token") ?? "";
    const isGone = await store.remove(tokenId);
    book.forget();
    if (isGone) return c.body(null, 204);
    throw new StreamError("token_unknown", `Cannot revoke token "${tokenId}": there is none`);
  });
  return app;
}

function details(token: AccessToken): TokenDetails {
  const { tokenId, topics, operations, origins, recordsPerSecondMax, createdAt, expiresAt } = token;
  return {
    ...{ tokenId, topics: [...topics], operations: [...operations], origins: [...origins] },
    ...{ recordsPerSecondMax, createdAt, expiresAt },
  };
}
