// deno-lint-ignore-file no-console -- its output is read by a test
/** Uploads 400 MiB from another process and prints, as JSON, how much the memory of this process grew. */

import { join } from "node:path";
import { startSandbox } from "../mod.ts";
import { createSession, graphOf, libraryPath } from "./testing.ts";

const TOTAL = 400 * 1024 * 1024;
const CLIENT = `const fragment = new Uint8Array(10 * 1024 * 1024);
  for (let start = 0; start < ${TOTAL}; start += fragment.length) {
    const range = \`bytes \${start}-\${start + fragment.length - 1}/${TOTAL}\`;
    const headers = { "content-range": range };
    const response = await fetch(Deno.args[0], { method: "PUT", body: fragment, headers });
    console.log(response.status, (await response.json()).size);
  }`;

await using sandbox = await startSandbox();
const url = await createSession(graphOf(sandbox), libraryPath(sandbox, "root:/large.bin"));
const rssBefore = Deno.memoryUsage().rss;
const client = new Deno.Command(Deno.execPath(), {
  args: ["run", "-q", "--no-config", "-A", "-", url],
  stdin: "piped",
  stdout: "piped",
}).spawn();
const writer = client.stdin.getWriter();
await writer.write(new TextEncoder().encode(CLIENT));
await writer.close();
const lines = new TextDecoder().decode((await client.output()).stdout).trim().split("\n");
const grownMiB = (Deno.memoryUsage().rss - rssBefore) / 1024 / 1024;
const content = join(sandbox.env["GRAPH_SCRIPTS_HOME"]!, "..", "content");
const files = (await Array.fromAsync(Deno.readDir(content))).length;
console.log(JSON.stringify({ responses: lines.length, last: lines.at(-1), grownMiB, files }));
