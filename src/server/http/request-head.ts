/**
 * What is asked of a request besides its body. A Request is one; so is an append that was handed
 * over as values (handed-appends.ts), since to make a Request of it costs more than to append it.
 */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: Pick<Headers, "get">;
}

/** One whose body has come along. */
export interface HandedRequest extends RequestHead {
  readonly handedBody: Uint8Array;
}
