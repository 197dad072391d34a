import { describe, expect, test } from "bun:test";
import { Metrics } from "../../../src/base/metrics.ts";

describe("Metrics", () => {
  test("prints counters, gauges and cumulative histograms as Prometheus reads them", () => {
    const metrics = new Metrics();
    metrics.counter({ name: "a_total", help: "A." }, { topic: 'o"1\\' }).add(3);
    metrics.gauge({ name: "b", help: "B." }).set(1.5);
    const histogram = metrics.histogram({ name: "c_seconds", help: "C." });
    for (const seconds of [0.0002, 0.004, 99]) histogram.observe(seconds);
    const lines = metrics.print().split("\n");
    expect(lines).toContain('a_total{topic="o\\"1\\\\"} 3');
    expect(lines).toContain("b 1.5");
    expect(lines).toContain('c_seconds_bucket{le="0.00025"} 1');
    expect(lines).toContain('c_seconds_bucket{le="0.005"} 2');
    expect(lines).toContain('c_seconds_bucket{le="10"} 2');
    expect(lines).toContain('c_seconds_bucket{le="+Inf"} 3');
    expect(lines).toContain("c_seconds_count 3");
  });

  test("a series that was removed is no longer printed", () => {
    const metrics = new Metrics();
    const family = { name: "lag", help: "L." };
    metrics.gauge(family, { group: "a" }).set(1);
    metrics.gauge(family, { group: "b" }).set(2);
    metrics.remove(family, { group: "a" });
    expect(metrics.print()).toContain('lag{group="b"} 2');
    expect(metrics.print()).not.toContain('group="a"');
  });

  test("a label from outside cannot grow a family without bound", () => {
    const metrics = new Metrics();
    for (let index = 0; index < 1000; index++) {
      metrics.counter({ name: "t_total", help: "T.", seriesMax: 10 }, { topic: `${index}` }).add();
    }
    const series = metrics
      .print()
      .split("\n")
      .filter((line) => line.startsWith("t_total{"));
    expect(series).toHaveLength(11);
    expect(series).toContain('t_total{overflow="true"} 990');
  });
});
