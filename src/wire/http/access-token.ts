/**
 * The text of an access token, `mrt_<id>_<secret>`: an id of 16 hexadecimal digits, and 256 random
 * bits in base64url. All its characters stand unescaped in URLs, headers and WebSocket protocols.
 */
const pattern = /^mrt_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export const tokenIdBytes = 8;
export const tokenSecretBytes = 32;

export interface TokenText {
  readonly tokenId: string;
  readonly secret: string;
}

/** Whether a text means to be an access token, well formed or not. */
export function isTokenText(text: string): boolean {
  return text.startsWith("mrt_");
}

/** Undefined for what no `formatToken` wrote. */
export function parseToken(text: string): TokenText | undefined {
  const [, tokenId, secret] = pattern.exec(text) ?? [];
  return tokenId === undefined || secret === undefined ? undefined : { tokenId, secret };
}

export function formatToken({ tokenId, secret }: TokenText): string {
  return `mrt_${tokenId}_${secret}`;
}
