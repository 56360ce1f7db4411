/**
 * What lies on this machine: unfinished transfers, and the version of Deno.
 *
 * @module
 */
import { join } from "../../std.ts";
import { DownloadJournal } from "../../download/journal.ts";
import { toGraphError } from "../../local/local_error.ts";
import type { Settings } from "../../settings.ts";
import { type Diagnosis, failure, ok, warn } from "./finding.ts";

/** The oldest Deno with which these scripts are tested. */
const MIN_DENO = [2, 7] as const;

/** Counts unfinished uploads and downloads. */
export async function checkUnfinished({ state }: Settings, foldersKnown: boolean): Promise<Diagnosis[]> {
  const none = () => {}; // counting tells nothing
  const journals = {
    downloads: new DownloadJournal(join(state, "downloads"), Date.now, none),
  };
  return await Promise.all(
    Object.entries(journals).map(async ([name, journal]) => {
      if (!foldersKnown) return warn(name, "not known", "mend the settings first");
      try {
        const count = await journal.count();
        return ok(
          name,
          count === 0 ? "none unfinished" : `${count} unfinished; the same commands go on with them`,
        );
      } catch (error) {
        return failure(name, toGraphError(error));
      }
    }),
  );
}

/** Checks the version of Deno, as in `2.9.6`. */
export function checkDeno(version: string): Diagnosis {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor, leastMinor] = MIN_DENO;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return ok("deno", version);
  return warn("deno", `${version} is older than ${MIN_DENO.join(".")}`, "upgrade it with: deno upgrade");
}
