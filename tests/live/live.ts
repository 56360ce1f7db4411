/**
 * One run of `deno task live`: works in a new folder of its own, and removes it.
 *
 * @module
 */
import type { Connection } from "../../lib/connect.ts";
import { isGraphError } from "../../lib/errors.ts";
import { VERSION } from "../../lib/http/client.ts";
import { isJsonObject } from "../../lib/json.ts";
import type { Item } from "../../lib/drive/items.ts";
import { createFolder } from "../../lib/manage/folder.ts";
import { remove } from "../../lib/manage/items.ts";
import { join } from "../../lib/std.ts";
import { checkDownloads, checkListings, checkSingleRequests } from "./content_checks.ts";
import { checkChanges, checkFolders, checkForms, checkTimes } from "./item_checks.ts";
import { checkNames } from "./name_checks.ts";
import { Probe, type Subject } from "./probe.ts";
import { Report, safeWord, type Surroundings } from "./report.ts";
import { checkOtherSessions, checkSession } from "./session_checks.ts";
import { checkFiles, checkInterruptions, type Reconnect } from "./transfer_checks.ts";

const CLEANUP_TIMEOUT_MS = 60_000;

/** What a run needs. */
export interface LiveOptions {
  /** An existing folder, in which the run makes one of its own. */
  readonly location: string;
  /** Signs in; with a signal, for a transfer that is interrupted. */
  readonly connect: (signal?: AbortSignal) => Promise<Connection>;
  /** Called with each step, for the user. */
  readonly progress: (step: string) => void;
}

/** A report, and what it was made against. */
export interface LiveResult {
  readonly report: Report;
  readonly surroundings: Surroundings;
}

/** @throws {GraphError} where the run's folder cannot be made; after an interruption, or without a sign-in. */
export async function runLive({ location, connect, progress }: LiveOptions): Promise<LiveResult> {
  const local = await Deno.makeTempDir({ prefix: "graph-scripts-live-" });
  try {
    await Deno.mkdir(join(local, "down"));
    const opened = await connect();
    // Journals of interrupted transfers stay out of the user's own.
    const connection = { ...opened, settings: { ...opened.settings, state: local } };
    const name = `graph-scripts live ${crypto.randomUUID().slice(0, 8)}`;
    const folder = await createFolder(connection, `${location.replace(/\/$/, "")}/${name}`);
    progress(`works in the new folder ${name}`);
    try {
      return await checkAll(connection, { folder, local, connect, progress });
    } finally {
      progress(
        await isRemoved(connection, folder)
          ? "the folder was removed; it is in the recycle bin"
          : `the folder ${name} could not be removed: please remove it`,
      );
    }
  } finally {
    await Deno.remove(local, { recursive: true });
  }
}

/** Removes the run's folder, also after an interruption. */
async function isRemoved(connection: Connection, folder: Item): Promise<boolean> {
  const http = connection.graph.http.detached(CLEANUP_TIMEOUT_MS);
  try {
    await remove({ ...connection, graph: connection.graph.withHttp(http) }, folder);
    return true;
  } catch (error) {
    if (!isGraphError(error)) throw error;
    return false; // the run has a result or an error of its own
  }
}

async function checkAll(
  connection: Connection,
  { folder, local, connect, progress }: Pick<Subject, "folder" | "local"> & Omit<LiveOptions, "location">,
): Promise<LiveResult> {
  const probe = new Probe(connection, folder);
  const report = new Report();
  const driveType = await readDriveType(probe);
  const subject: Subject = { connection, probe, report, folder, local, isPersonal: driveType === "personal" };
  for (const [step, check] of Object.entries(stepsOf(connect))) {
    progress(step);
    try {
      await check(subject);
    } catch (error) {
      connection.graph.http.signal?.throwIfAborted();
      if (!isGraphError(error)) throw error;
      const seen = [error.status, safeWord(error.code)].filter(Boolean).join(" ");
      report.check("9a", `${step}: ended early`, "no error", seen);
    }
  }
  const surroundings = {
    cloud: connection.settings.cloud,
    driveType: safeWord(driveType),
    version: VERSION,
    date: new Date().toISOString().slice(0, 10),
  };
  return { report, surroundings };
}

function stepsOf(reconnect: Reconnect): Record<string, (subject: Subject) => Promise<void>> {
  return {
    "folders": checkFolders,
    "ids and errors": checkForms,
    "names": checkNames,
    "renames, copies, removal": checkChanges,
    "times": checkTimes,
    "uploads in one request": checkSingleRequests,
    "listings": checkListings,
    "downloads": checkDownloads,
    "an upload session": checkSession,
    "other upload sessions": checkOtherSessions,
    "files of a dozen types and sizes": checkFiles,
    "interruptions": (subject) => checkInterruptions(subject, reconnect),
  };
}

async function readDriveType(probe: Probe): Promise<unknown> {
  const { parentReference } = (await probe.read(probe.folder())).json;
  return isJsonObject(parentReference) ? parentReference.driveType : undefined;
}
