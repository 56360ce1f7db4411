import { assertEquals } from "../assert.ts";
import { formatDuration, formatSize, parseSize } from "../../lib/format.ts";

Deno.test("formatSize(), formatDuration() and parseSize() agree with what users write", () => {
  assertEquals(["1", "320KiB", "10MiB", "10M", "10 mb", "1.5k"].map((text) => parseSize(text)), [
    1,
    327_680,
    10_485_760,
    10_485_760,
    10_000_000,
    1536,
  ]);
  assertEquals([0, 1023, 1024, 10_485_760, 5 * 1024 ** 3].map(formatSize), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "10 MiB",
    "5.0 GiB",
  ]);
  assertEquals([0, 5, 65, 3661].map(formatDuration), ["0:00", "0:05", "1:05", "1:01:01"]);
});
