import { describe, expect, test } from "bun:test";
import { isTimeZone, toInstant, toWall, zoneOffset } from "../../../../src/sql/types/time-zone.ts";

const berlin = "Europe/Berlin";
const hourMs = 3_600_000;

describe("time zones", () => {
  test("names, offsets and UTC are zones, other words are not", () => {
    for (const name of ["UTC", berlin, "+02:00", "GMT+02:00", "-0530"]) {
      expect(isTimeZone(name)).toBe(true);
    }
    expect(isTimeZone("Europe/Nowhere")).toBe(false);
    expect(isTimeZone("+19:00")).toBe(false);
  });

  test("the offset changes with the clock", () => {
    const change = Date.UTC(2026, 2, 29, 1);
    expect(zoneOffset(berlin, change - 1)).toBe(hourMs);
    expect(zoneOffset(berlin, change)).toBe(2 * hourMs);
  });

  test("an hour that does not exist moves on, one that occurs twice is the earlier", () => {
    expect(toInstant(berlin, Date.UTC(2026, 2, 29, 2, 30))).toBe(Date.UTC(2026, 2, 29, 1, 30));
    expect(toInstant(berlin, Date.UTC(2026, 9, 25, 2, 30))).toBe(Date.UTC(2026, 9, 25, 0, 30));
  });

  test("walls and instants agree where there is one of each", () => {
    for (const zone of [berlin, "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe"]) {
      for (
        let instant = Date.UTC(2026, 0, 1);
        instant < Date.UTC(2027, 0, 1);
        instant += 17 * hourMs
      ) {
        const wall = toWall(zone, instant);
        expect(toWall(zone, toInstant(zone, wall))).toBe(wall);
      }
    }
  });
});
