/** The contract of access tokens in the metadata. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { MetadataAccessTokens, type NewAccessToken } from "../../src/meta/access-tokens.ts";
import { type MetadataUnderTest, type OpenMetadata, randomText } from "./metadata-fixture.ts";

export function tokensContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  let tokens: MetadataAccessTokens;
  beforeAll(async () => {
    metadata = await open();
    tokens = new MetadataAccessTokens(metadata.database);
  });
  afterAll(() => metadata.close());

  const wanted = (): NewAccessToken => ({
    tokenId: randomText(),
    secretHash: "ab".repeat(32),
    topics: ["clicks", "orders"],
    operations: ["write"],
    origins: ["https://shop.example"],
    recordsPerSecondMax: 0.5,
    lifeMs: 60_000,
  });
  const listed = async (tokenId: string) =>
    (await tokens.list(-1)).tokens?.find((token) => token.tokenId === tokenId);

  describe(`${name}: access tokens`, () => {
    test("are kept as they were made, once however often the request comes", async () => {
      const { lifeMs, ...token } = wanted();
      const made = await tokens.add({ ...token, lifeMs });
      expect(made).toMatchObject(token);
      expect(made.expiresAt).toBe(made.createdAt + (lifeMs ?? 0));
      expect(await tokens.add({ ...token, lifeMs })).toEqual(made);
      expect(await listed(token.tokenId)).toEqual(made);
    });

    test("may live for ever and write as fast as they like", async () => {
      const made = await tokens.add({ ...wanted(), lifeMs: null, recordsPerSecondMax: null });
      expect(made).toMatchObject({ expiresAt: null, recordsPerSecondMax: null });
      expect(await listed(made.tokenId)).toEqual(made);
    });

    test("are not read again by who knows them, until one comes or goes", async () => {
      const first = await tokens.add(wanted());
      const { version } = await tokens.list(-1);
      expect(await tokens.list(version)).toEqual({ version, tokens: undefined });
      await tokens.add(wanted());
      const more = await tokens.list(version);
      expect(more.tokens).toContainEqual(first);
      expect(await tokens.remove(first.tokenId)).toBe(true);
      const fewer = await tokens.list(more.version);
      expect(fewer.tokens).not.toContainEqual(first);
      expect(await tokens.remove(first.tokenId)).toBe(false);
    });

    test("that expired are listed for a week, until the next one is made", async () => {
      const old = await tokens.add({ ...wanted(), lifeMs: -8 * 86_400_000 });
      const recent = await tokens.add({ ...wanted(), lifeMs: -6 * 86_400_000 });
      await tokens.add(wanted());
      expect(await listed(old.tokenId)).toBeUndefined();
      expect(await listed(recent.tokenId)).toEqual(recent);
    });
  });
}
