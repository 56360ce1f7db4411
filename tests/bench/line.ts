/**
 * A test environment behind a shaped line.
 *
 * @module
 */
import { type LineShape, startShapedLine } from "../sandbox/http/shaped_line.ts";
import type { TestEnv } from "../test_env.ts";

/** Variables that lead the scripts through the line. */
export interface LinedEnv extends AsyncDisposable {
  variables: Record<string, string>;
}

/** Puts a line before Graph and storage; sign-in is not slowed down. */
export function throughLine({ sandbox }: TestEnv, shape: LineShape): LinedEnv {
  const graph = startShapedLine(sandbox.ports.graph, shape);
  const storage = startShapedLine(sandbox.ports.storage, shape);
  const origins = [
    [sandbox.storageOrigin, `http://127.0.0.1:${storage.port}`],
    [sandbox.apiOrigin, `http://127.0.0.1:${graph.port}`],
  ] as const;
  sandbox.addFault({
    name: "addresses behind the line",
    service: "graph",
    times: "always",
    rewrite: (response) => {
      const { body, headers } = response;
      const replaced = (text: string) =>
        origins.reduce((text, [own, lined]) => text.replaceAll(own, lined), text);
      const location = headers["location"];
      return {
        ...response,
        headers: location === undefined ? headers : { ...headers, location: replaced(location) },
        body: typeof body === "string" ? replaced(body) : body,
      };
    },
  });
  return {
    variables: {
      ...sandbox.env,
      GRAPH_API_ORIGIN: origins[1][1],
      GRAPH_STORAGE_HOSTS: `127.0.0.1:${storage.port}`,
    },
    async [Symbol.asyncDispose]() {
      sandbox.clearFaults();
      await Promise.all([graph, storage].map((line) => line[Symbol.asyncDispose]()));
    },
  };
}
