/**
 * A test environment behind a shaped line.
 *
 * @module
 */
import { type LineShape, type ShapedLine, startShapedLine } from "./sandbox/http/shaped_line.ts";
import type { TestEnv } from "./test_env.ts";

/** A line to Graph and storage. */
export interface Line extends AsyncDisposable {
  /** Its rates; a test may change them. */
  shape: LineShape;
  storage: ShapedLine;
}

/** Puts a line before Graph and storage, and leads the scripts through it; sign-in is not slowed down. */
export function throughLine({ sandbox }: TestEnv, shape: LineShape): Line {
  const { env } = sandbox;
  const before = { ...env };
  const graph = startShapedLine(sandbox.ports.graph, shape);
  const storage = startShapedLine(sandbox.ports.storage, shape);
  const origins = [
    [sandbox.storageOrigin, `http://127.0.0.1:${storage.port}`],
    [sandbox.apiOrigin, `http://127.0.0.1:${graph.port}`],
  ] as const;
  const replaced = (text: string) =>
    origins.reduce((text, [own, lined]) => text.replaceAll(own, lined), text);
  env["GRAPH_API_ORIGIN"] = origins[1][1];
  env["GRAPH_STORAGE_HOSTS"] = `127.0.0.1:${storage.port}`;
  sandbox.addFault({
    name: "addresses behind the line",
    service: "graph",
    times: "always",
    rewrite: ({ status, body, headers }) => ({
      status,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, replaced(value)])),
      body: typeof body === "string" ? replaced(body) : body,
    }),
  });
  return {
    shape,
    storage,
    async [Symbol.asyncDispose]() {
      sandbox.clearFaults();
      Object.assign(env, before);
      await Promise.all([graph, storage].map((line) => line[Symbol.asyncDispose]()));
    },
  };
}
