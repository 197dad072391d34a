/** What the test's Worker uses of workerd's own module. */
declare module "cloudflare:workers" {
  export class DurableObject<Bindings> {
    constructor(state: object, bindings: Bindings);
    protected readonly env: Bindings;
  }
}
