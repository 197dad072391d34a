import type { Clock } from "../../src/base/platform.ts";
import type {
  AccessToken,
  AccessTokenList,
  AccessTokenStore,
  NewAccessToken,
} from "../../src/meta/access-tokens.ts";

/** Access tokens without a database. */
export class MemoryTokens implements AccessTokenStore {
  readonly #clock: Clock;
  readonly #tokens = new Map<string, AccessToken>();
  #version = 0;
  /** How often the list was asked for. */
  lists = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async add({ lifeMs, ...token }: NewAccessToken): Promise<AccessToken> {
    const createdAt = this.#clock.now();
    const made = { ...token, createdAt, expiresAt: lifeMs === null ? null : createdAt + lifeMs };
    this.#tokens.set(token.tokenId, made);
    this.#version++;
    return made;
  }

  async list(knownVersion: number): Promise<AccessTokenList> {
    this.lists++;
    const isKnown = knownVersion === this.#version;
    return { version: this.#version, tokens: isKnown ? undefined : [...this.#tokens.values()] };
  }

  async remove(tokenId: string): Promise<boolean> {
    this.#version++;
    return this.#tokens.delete(tokenId);
  }
}
