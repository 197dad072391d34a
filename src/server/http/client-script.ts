/** `GET /client.js`: the client for pages, as whoever makes the server has built it. */
import { scriptMediaType } from "../../wire/http/media-type.ts";

/** Long enough that a page's reload costs nothing, short enough for a new version to arrive. */
const maxAgeSeconds = 3_600;

export class ClientScript {
  readonly #read: () => string;
  #made: Promise<{ readonly text: string; readonly etag: string }> | undefined;

  constructor(read: () => string) {
    this.#read = read;
  }

  async answer(request: Request): Promise<Response> {
    this.#made ??= this.#make();
    const { text, etag } = await this.#made;
    const headers = {
      ETag: etag,
      "Cache-Control": `public, max-age=${maxAgeSeconds}`,
      "Content-Type": `${scriptMediaType}; charset=utf-8`,
      // Browsers ask for modules of other origins as for data; the script is no secret.
      "Access-Control-Allow-Origin": "*",
      "Cross-Origin-Resource-Policy": "cross-origin",
      "X-Content-Type-Options": "nosniff",
    };
    const known = (request.headers.get("If-None-Match") ?? "").split(/\s*,\s*/);
    const isKnown = known.includes(etag) || known.includes(`W/${etag}`);
    if (isKnown) return new Response(null, { status: 304, headers });
    return new Response(request.method === "HEAD" ? null : text, { headers });
  }

  async #make() {
    const text = this.#read();
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    const digits = [...new Uint8Array(hash, 0, 12)].map((byte) =>
      byte.toString(16).padStart(2, "0"),
    );
    return { text, etag: `"${digits.join("")}"` };
  }
}
