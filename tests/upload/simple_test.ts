import { assert } from "../assert.ts";
import { GraphClient } from "../../lib/graph/client.ts";
import { HttpClient } from "../../lib/http/client.ts";
import type { LocalContent } from "../../lib/local/local_file.ts";
import type { TransferContext } from "../../lib/transfer/result.ts";
import { uploadSimple } from "../../lib/upload/simple.ts";

Deno.test("uploadSimple() may use all the time left until the deadline", async () => {
  const limits: number[] = [];
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((work: () => void, ms?: number) => {
    limits.push(ms ?? 0);
    return setTimeout(work, ms);
  }) as typeof setTimeout;
  try {
    const http = new HttpClient({
      fetch: () => Promise.resolve(Response.json({ id: "x", name: "big.bin" })),
    });
    const graph = new GraphClient(http, "https://graph.microsoft.com", {
      token: () => Promise.resolve("t"),
    });
    const size = 64 * 1024 * 1024;
    const content: LocalContent = {
      path: "big.bin",
      name: "big.bin",
      size,
      modified: null,
      reopenable: false,
      read: (buffer) => Promise.resolve(buffer.length),
      state: () => Promise.resolve("unchanged"),
      [Symbol.dispose]: () => {},
    };
    const target = {
      folder: { driveId: "d", itemId: "i" },
      folderId: "i",
      folderPath: "",
      name: "big.bin",
      existing: undefined,
      driveType: "business",
    };
    await uploadSimple({ graph } as TransferContext, content, target, "replace");
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert(Math.max(...limits) >= 299_000, `${limits}`);
});
