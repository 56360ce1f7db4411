/**
 * The assertions of `@std/assert` that the tests use, or an adapter where JSR cannot be reached, as in `lib/std.ts`.
 *
 * @module
 */
import type * as Assert from "./assert_adapter.ts";

async function loadAssert(): Promise<typeof Assert> {
  try {
    return await import("jsr:@std/assert@1.0.19");
  } catch {
    return await import("./assert_adapter.ts");
  }
}

const module: typeof Assert = await loadAssert();

// TypeScript narrows by an assertion only if the name that is called has an explicit type.
export const assert: typeof Assert.assert = module.assert;
export const { assertEquals, assertMatch, assertRejects, assertStringIncludes }: typeof Assert = module;
