/**
 * kafkajs over a WebSocket, for wherever no TCP goes: `new Kafka({ brokers, socketFactory })`. All
 * brokers that kafkajs is told of are behind the URL.
 *
 *     import { kafkajsSocket } from "millrace/client/kafkajs";
 *     const socketFactory = kafkajsSocket({ url: "wss://millrace.example", token: "…" });
 *     const kafka = new Kafka({ brokers: ["millrace:9092"], socketFactory });
 */
/** As in wire/http/tunnel.ts, which a package for clients does not carry. */
export const tunnel = {
    path: "/kafka",
    windowBytes: 1_048_576,
    grantBytes: 262_144,
    messageBytes: 65_536,
};
export function kafkajsSocket({ url, token }) {
    const place = new URL(url.replace(/^http/, "ws"));
    if (place.pathname === "/")
        place.pathname = tunnel.path;
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return ({ onConnect }) => {
        const socket = new WebSocket(place.href, { headers });
        socket.binaryType = "arraybuffer";
        return join(socket, place.host, onConnect);
    };
}
function join(socket, host, onConnect) {
    const listeners = new Map();
    const emit = (event, data) => {
        for (const listener of listeners.get(event) ?? [])
            listener(data);
    };
    const waiting = [];
    let credit = tunnel.windowBytes;
    let done = 0;
    let isOpen = false;
    let isEnding = false;
    const flush = () => {
        while (isOpen && credit > 0) {
            const first = waiting.shift();
            if (first === undefined)
                break;
            const length = Math.min(first.length, tunnel.messageBytes, credit);
            if (length < first.length)
                waiting.unshift(first.subarray(length));
            socket.send(first.slice(0, length));
            credit -= length;
        }
        if (isEnding && (waiting.length === 0 || !isOpen))
            socket.close(1000);
    };
    socket.onopen = () => {
        isOpen = true;
        onConnect();
        flush();
    };
    socket.onmessage = ({ data }) => {
        if (typeof data === "string") {
            credit += Number(data) || 0;
            return flush();
        }
        const buffer = data;
        emit("data", Buffer.from(buffer));
        done += buffer.byteLength;
        if (done < tunnel.grantBytes || socket.readyState !== 1)
            return;
        socket.send(String(done));
        done = 0;
    };
    socket.onclose = ({ code }) => {
        if (isOpen)
            emit("end");
        else if (!isEnding) {
            const why = "it is away, or the token is not its own";
            const error = new Error(`Cannot open a tunnel to ${host} (${code}): ${why}`);
            emit("error", Object.assign(error, { code: "ECONNREFUSED" }));
        }
        isOpen = false;
    };
    // What an error says stands in the close that follows.
    socket.onerror = () => { };
    const ours = {
        on(event, listener) {
            listeners.set(event, [...(listeners.get(event) ?? []), listener]);
            return ours;
        },
        write(bytes) {
            if (bytes.length > 0)
                waiting.push(bytes);
            flush();
            return waiting.length === 0;
        },
        end() {
            isEnding = true;
            flush();
        },
        unref() { },
    };
    return ours;
}
