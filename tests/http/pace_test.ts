import { assertEquals } from "../assert.ts";
import { Pace } from "../../lib/http/pace.ts";

Deno.test("Pace survives a clock set back", () => {
  const pace = new Pace();
  const hour = 3_600_000;
  pace.hold("a.example", 2 * hour + 1000);
  assertEquals(pace.delayMs("a.example", 2 * hour), 1000);
  assertEquals(pace.delayMs("a.example", hour), 0);
});
