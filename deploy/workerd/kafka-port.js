/**
 * The handler for inbound TCP: what comes from a Kafka client goes into a WebSocket and back. Either
 * side may send a window of 1 MiB, and more as the other grants it (docs/adr/0038).
 */
const windowBytes = 1_048_576;
const grantBytes = 262_144;
const messageBytes = 65_536;

export default {
  async connect(client, { MILLRACE_URL, MILLRACE_TOKEN, ADVERTISED }) {
    const url = new URL("/kafka", MILLRACE_URL);
    url.searchParams.set("advertised", ADVERTISED);
    const headers = { Upgrade: "websocket", Authorization: `Bearer ${MILLRACE_TOKEN}` };
    const { webSocket, status } = await fetch(url, { headers });
    if (!webSocket) {
      // biome-ignore lint/suspicious/noConsole: workerd keeps what is printed as its log
      console.error(`${url.origin} answered ${status}: no tunnel for Kafka clients`);
      return client.close();
    }
    webSocket.binaryType = "arraybuffer";
    await Promise.race([fromWorker(webSocket, client), fromClient(client, webSocket)]);
    webSocket.close(1000, "");
    await client.close().catch(() => {});
  },
};

const creditOf = new WeakMap();

async function fromClient(client, webSocket) {
  for await (const chunk of client.readable) {
    for (let position = 0; position < chunk.length; ) {
      const length = Math.min(messageBytes, chunk.length - position, await creditFor(webSocket));
      creditOf.get(webSocket).bytes -= length;
      webSocket.send(chunk.slice(position, position + length));
      position += length;
    }
  }
}

async function creditFor(webSocket) {
  const credit = creditOf.get(webSocket);
  while (credit.bytes === 0) await new Promise((wake) => (credit.wake = wake));
  return credit.bytes;
}

/** Resolves when the worker closes the tunnel. */
async function fromWorker(webSocket, client) {
  const writer = client.writable.getWriter();
  const credit = { bytes: windowBytes, wake() {} };
  creditOf.set(webSocket, credit);
  let done = 0;
  let writing = Promise.resolve();
  const closed = new Promise((resolve) => {
    for (const end of ["close", "error"]) webSocket.addEventListener(end, resolve);
  });
  webSocket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") {
      credit.bytes += Number(data);
      return credit.wake();
    }
    writing = writing.then(async () => {
      await writer.write(new Uint8Array(data));
      done += data.byteLength;
      if (done < grantBytes) return;
      webSocket.send(String(done));
      done = 0;
    });
    writing.catch(() => webSocket.close(1000, ""));
  });
  webSocket.accept();
  await closed;
  await writing.catch(() => {});
}
