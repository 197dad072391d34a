/**
 * The access tokens as this worker knows them: all of them, since whoever asks with one should not
 * wait for the metadata. They are read again when they are older than a few seconds, which bounds
 * how long a token lives here that was revoked elsewhere; a token that is not known is looked for
 * in a list read since it was asked for, so that one made elsewhere a moment ago is never denied.
 */
import type { Platform } from "../../base/platform.ts";
import type { AccessToken, AccessTokenStore, TokenOperation } from "../../meta/access-tokens.ts";

/** A list older than this is read again before it is believed. */
const freshMs = 5_000;
/** Between two reads of the list, however many unknown tokens are shown. */
const readMsMin = 200;

export class TokenBook {
  readonly #store: AccessTokenStore;
  readonly #platform: Pick<Platform, "clock" | "timers">;
  #tokens: ReadonlyMap<string, AccessToken> = new Map();
  #version = -1;
  /** When the last read began. */
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  /** Of tokens, here. */
  #changes = 0;

  constructor(store: AccessTokenStore, platform: Pick<Platform, "clock" | "timers">) {
    this.#store = store;
    this.#platform = platform;
  }

  /** @throws StreamError `metadata_unavailable`. */
  find(tokenId: string): Promise<AccessToken | undefined> {
    return this.#look(() => this.#tokens.get(tokenId));
  }

  /** Whether pages of `origin` have a token for the topic, expired ones included. */
  async hasOrigin(origin: string, topic: string, operations: readonly TokenOperation[]) {
    const look = () => this.knowsOrigin(origin, topic, operations) || undefined;
    return (await this.#look(look)) === true;
  }

  /** The same, as far as it is known here. */
  knowsOrigin(origin: string, topic: string, operations: readonly TokenOperation[]): boolean {
    for (const token of this.#tokens.values()) {
      if (!token.origins.includes(origin) || !token.topics.includes(topic)) continue;
      if (operations.some((operation) => token.operations.includes(operation))) return true;
    }
    return false;
  }

  /** Tokens were changed here: the next look sees it. */
  forget(): void {
    this.#changes++;
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  async #look<T>(look: () => T | undefined): Promise<T | undefined> {
    const askedAt = this.#now();
    await this.#readSince(askedAt - freshMs);
    const found = look();
    if (found !== undefined) return found;
    await this.#readSince(askedAt);
    return look();
  }

  async #readSince(moment: number): Promise<void> {
    while (this.#readAt < moment) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
  }

  async #read(): Promise<void> {
    const waitMs = this.#readAt + readMsMin - this.#now();
    if (waitMs > 0) await this.#platform.timers.sleep(waitMs);
    const readAt = this.#now();
    const changes = this.#changes;
    const { version, tokens } = await this.#store.list(this.#version);
    if (tokens !== undefined) this.#tokens = new Map(tokens.map((each) => [each.tokenId, each]));
    this.#version = version;
    // What was changed meanwhile may not be in it.
    if (changes === this.#changes) this.#readAt = readAt;
  }

  #now(): number {
    return this.#platform.clock.monotonic();
  }
}
