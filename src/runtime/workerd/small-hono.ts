/**
 * Stands in the Worker's bundle for hono itself: the same, with the smallest of its routers. That
 * one takes a slash at a path's end for nothing, which no other worker does.
 */
import { HonoBase } from "hono/hono-base";
import { PatternRouter } from "hono/router/pattern-router";

class ExactRouter<T> extends PatternRouter<T> {
  override match(method: string, path: string): ReturnType<PatternRouter<T>["match"]> {
    return path.length > 1 && path.endsWith("/") ? [[]] : super.match(method, path);
  }
}

export class Hono extends HonoBase {
  constructor() {
    super({ router: new ExactRouter() });
  }
}
