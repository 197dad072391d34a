/** The text of /client.js; deploy/cloudflare/with-client-text.ts puts it in this file's place. */
export function clientText(): string {
  throw new Error("The bundle was made without the text of /client.js");
}
