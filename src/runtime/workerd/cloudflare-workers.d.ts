/** What is used of workerd's own module, whose types a package of two megabytes would bring. */
declare module "cloudflare:workers" {
  export interface DurableObjectState {
    /** The same for each activation of an object, and no other's. */
    readonly id: { toString(): string };
    readonly storage: {
      /** Wakes the object at this time, milliseconds since 1970, by calling its `alarm`. */
      setAlarm(time: number): Promise<void>;
      /** Null: none, also while `alarm` is called. */
      getAlarm(): Promise<number | null>;
      deleteAlarm(): Promise<void>;
      get<T>(key: string): Promise<T | undefined>;
      put(key: string, value: unknown): Promise<void>;
      /** The object's own SQLite. */
      readonly sql: import("./object-scratch.ts").ObjectSqlStorage;
    };
    /** Keeps the socket while the object sleeps; what comes goes to the object's `webSocket…`. */
    acceptWebSocket(socket: unknown): void;
    /** workerd answers such a message by itself, and wakes no object for it. */
    setWebSocketAutoResponse(pair: object): void;
    getWebSockets(): import("./object-sockets.ts").KeptSocket[];
  }

  export class DurableObject<Bindings> {
    constructor(state: DurableObjectState, bindings: Bindings);
    protected readonly ctx: DurableObjectState;
    protected readonly env: Bindings;
  }
}
