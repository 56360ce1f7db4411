/**
 * The toolkit's own transfers: files go up, are replaced, listed, come down and are removed; a large one is interrupted
 * on its way up and on its way down.
 *
 * @module
 */
import type { Connection } from "../../lib/connect.ts";
import { downloadFile } from "../../lib/download/download.ts";
import { list } from "../../lib/drive/browse.ts";
import type { Item } from "../../lib/drive/items.ts";
import { isGraphError } from "../../lib/errors.ts";
import { remove } from "../../lib/manage/items.ts";
import { join } from "../../lib/std.ts";
import type { OnProgress } from "../../lib/transfer/result.ts";
import { uploadFile } from "../../lib/upload/upload.ts";
import { FILES, LARGE_FRAGMENT_BYTES, LARGE_NAME, largeContent } from "./files.ts";
import type { Subject } from "./probe.ts";

/** Connects once more, for work that is interrupted by this signal. */
export type Reconnect = (signal: AbortSignal) => Promise<Connection>;

/** A dozen types and sizes go up, are replaced, listed, come down and are removed. */
export async function checkFiles({ connection, report, folder, local }: Subject): Promise<void> {
  for (const [name, content] of Object.entries(FILES)) {
    const path = join(local, name);
    await Deno.writeFile(path, content());
    const created = await uploadFile(connection, path, folder);
    report.check("6a", `upload of ${name}`, "created", created.result);
    if (created.verdict === "unverified") report.observe("10b", `the hash of ${name}`, "missing");
    else report.check("10.2a", `the stored ${name}`, ["verified", "enriched"], created.verdict);
  }
  const session = { conflict: "replace", session: true } as const;
  for (const name of ["document.docx", "fragment.bin"]) {
    const replaced = await uploadFile(connection, join(local, name), folder, session);
    report.check("7.3a", `replacement of ${name} through a session`, "replaced", replaced.result);
  }
  const items = new Map<string, Item>();
  for await (const item of list(connection, folder)) items.set(item.name, item);
  for (const [name, content] of Object.entries(FILES)) {
    const item = items.get(name);
    report.check("3.3d", `${name} in the listing`, "yes", item === undefined ? "no" : "yes");
    if (item === undefined) continue;
    const path = join(local, "down", name);
    const { verdict } = await downloadFile(connection, item, path);
    const isSame = sameBytes(await Deno.readFile(path), content());
    report.check(
      "10.2a",
      `download of ${name}`,
      ["the same", "rewritten"],
      isSame ? "the same" : rewritten(name, verdict),
    );
    // Not with the eTag of the listing: SharePoint may have rewritten the file since (PROTOCOL 10.2a).
    await remove(connection, { driveId: item.driveId, id: item.id, path: name });
  }
  const left: string[] = [];
  for await (const { name } of list(connection, folder)) if (Object.hasOwn(FILES, name)) left.push(name);
  report.check("14e", "files left after their removal", "none", left.join(", ") || "none");
}

/** Only these types are ever rewritten. */
function rewritten(name: string, verdict: string): string {
  return /\.(docx|pdf|jpg|html)$/.test(name) ? "rewritten" : `other bytes, ${verdict}`;
}

/** An interrupted upload and an interrupted download are resumed by the same call. */
export async function checkInterruptions(subject: Subject, reconnect: Reconnect): Promise<void> {
  const { connection, report, folder, local } = subject;
  const path = join(local, LARGE_NAME);
  await Deno.writeFile(path, largeContent());
  const options = { session: true, fragmentBytes: LARGE_FRAGMENT_BYTES };
  const upload = (connection: Connection, onProgress?: OnProgress) =>
    uploadFile(connection, path, folder, { ...options, ...(onProgress ? { onProgress } : {}) });
  report.check(
    "7.3d",
    "an interrupted upload",
    "interrupted",
    await interrupt(subject, reconnect, LARGE_FRAGMENT_BYTES, upload),
  );
  const uploaded = await upload(connection);
  report.check("7.3d", "its resumption", "resumed", resumed(uploaded.resumedFrom));
  report.check("10.2a", "the resumed file", "verified", uploaded.verdict);
  const destination = join(local, "down", LARGE_NAME);
  const download = (connection: Connection, onProgress?: OnProgress) =>
    downloadFile(connection, uploaded, destination, {
      connections: 1,
      ...(onProgress ? { onProgress } : {}),
    });
  report.check(
    "5d",
    "an interrupted download",
    "interrupted",
    await interrupt(subject, reconnect, 1024 * 1024, download),
  );
  const downloaded = await download(connection);
  report.check("5d", "its resumption", "resumed", resumed(downloaded.resumedFrom));
  const isSame = sameBytes(await Deno.readFile(destination), largeContent());
  report.check("5b", "the resumed content", "the same", isSame ? "the same" : "other bytes");
}

function resumed(from: number | null): string {
  return from !== null && from > 0 ? "resumed" : "from the start";
}

/** Interrupts a transfer once this many bytes are done. */
async function interrupt(
  { connection }: Subject,
  reconnect: Reconnect,
  bytes: number,
  transfer: (connection: Connection, onProgress: OnProgress) => Promise<unknown>,
): Promise<string> {
  const controller = new AbortController();
  const { settings } = connection;
  try {
    await transfer({ ...await reconnect(controller.signal), settings }, (done) => {
      if (done > bytes) controller.abort();
    });
    return "finished";
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    return isGraphError(error) && error.kind === "interrupted" ? "interrupted" : "another error";
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
