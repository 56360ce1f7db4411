import { assert, assertRejects } from "../assert.ts";
import { runPool } from "../../lib/transfer/jobs.ts";

Deno.test("runPool() waits for running jobs when its list fails", async () => {
  let ended = false;
  async function* list() {
    yield 1;
    await Promise.resolve();
    throw new Error("broken off");
  }
  await assertRejects(() =>
    runPool(list(), 4, async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      ended = true;
    })
  );
  assert(ended, "a job was still running");
});
