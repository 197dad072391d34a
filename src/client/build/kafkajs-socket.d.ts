/**
 * kafkajs over a WebSocket, for wherever no TCP goes: `new Kafka({ brokers, socketFactory })`. All
 * brokers that kafkajs is told of are behind the URL.
 *
 *     import { kafkajsSocket } from "millrace/client/kafkajs";
 *     const socketFactory = kafkajsSocket({ url: "wss://millrace.example", token: "…" });
 *     const kafka = new Kafka({ brokers: ["millrace:9092"], socketFactory });
 */
/** As in wire/http/tunnel.ts, which a package for clients does not carry. */
export declare const tunnel: {
    readonly path: "/kafka";
    readonly windowBytes: 1048576;
    readonly grantBytes: 262144;
    readonly messageBytes: 65536;
};
export interface KafkajsSocketOptions {
    /** The worker: `wss://`, `https://`, or without TLS `ws://`, `http://`. */
    readonly url: string;
    /** The workers' shared secret. */
    readonly token?: string;
}
/** Of a socket, what kafkajs uses. */
export interface KafkajsSocket {
    on(event: string, listener: (data?: unknown) => void): KafkajsSocket;
    write(bytes: Uint8Array): boolean;
    end(): void;
    unref(): void;
}
export type KafkajsSocketFactory = (options: {
    readonly onConnect: () => void;
}) => KafkajsSocket;
export declare function kafkajsSocket({ url, token }: KafkajsSocketOptions): KafkajsSocketFactory;
