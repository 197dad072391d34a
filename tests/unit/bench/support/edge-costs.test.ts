import { expect, test } from "bun:test";
import { dollarsPerMillion } from "../../../../bench/support/edge-costs.ts";

const none = { requests: 0, seconds: 0, cpuSeconds: 0, puts: 0, metadata: 0 };

test("dollarsPerMillion adds requests, processor time, an awake object and PUTs", () => {
  // A request each: 0.30 $ for the Worker and 0.15 $ for the object.
  expect(dollarsPerMillion({ ...none, requests: 1000 }, 1000)).toBeCloseTo(0.45);
  expect(dollarsPerMillion({ ...none, puts: 50 }, 1000)).toBeCloseTo(0.225);
  expect(dollarsPerMillion({ ...none, cpuSeconds: 1 }, 1000)).toBeCloseTo(0.02);
  expect(dollarsPerMillion({ ...none, seconds: 10 }, 1000)).toBeCloseTo(0.016);
});

test("dollarsPerMillion leaves out processor time that the system does not tell", () => {
  const counted = { ...none, requests: 10, cpuSeconds: Number.NaN };
  expect(dollarsPerMillion(counted, 1000)).toBeCloseTo(0.0045);
});
