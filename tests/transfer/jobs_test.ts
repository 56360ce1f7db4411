import { assert, assertRejects } from "../assert.ts";
import { JobCount } from "../../lib/transfer/job_count.ts";
import { runPool } from "../../lib/transfer/jobs.ts";

Deno.test("runPool() waits for running jobs when its list fails", async () => {
  let ended = false;
  async function* list() {
    yield 1;
    await Promise.resolve();
    throw new Error("broken off");
  }
  await assertRejects(() =>
    runPool(list(), new JobCount({ throttledResponses: 0 }), async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      ended = true;
    })
  );
  assert(ended, "a job was still running");
});
