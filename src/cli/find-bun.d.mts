export interface Host {
  readonly platform: string;
  readonly arch: string;
  readonly musl: boolean;
}
export function findBun(from: string | URL, host?: Host): string | undefined;
export function platformPackages(host: Host): string[];
