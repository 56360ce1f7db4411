/**
 * What `put` and `put-large` have in common.
 *
 * @module
 */
import { basename } from "@std/path";
import type { Option, Run } from "./cli.ts";
import type { Connection } from "./connection.ts";
import { usageError } from "./errors.ts";
import type { Location } from "./location.ts";
import { sameName } from "./names.ts";
import { formatSize } from "./sizes.ts";
import type { TransferResult } from "./transfer.ts";
import type { UploadOptions } from "./upload.ts";

/** The option for names that are taken. */
export const CONFLICTS: Option = {
  name: "conflict",
  value: "HOW",
  help: "if the name is taken: replace (default), fail, rename",
};

/** One upload, as `put` or `put-large` does it. */
export type Upload = (
  connection: Connection,
  file: string,
  location: Location,
  options: UploadOptions,
) => Promise<TransferResult>;

/** Uploads each file to the target, with progress and one result each. */
export async function uploadEach(
  run: Run,
  files: readonly string[],
  target: string,
  upload: Upload,
): Promise<void> {
  const conflict = run.choice("conflict", ["fail", "replace", "rename"]) ?? "replace";
  const { locations: [location], beyondOwnDrive } = await run.locations([target]);
  refuseSameNames(files);
  const connection = await run.connect("write", beyondOwnDrive);
  for (const file of files) {
    await run.attempt(async () => {
      const progress = run.output.progress(file);
      try {
        const result = await upload(connection, file, location!, {
          conflict,
          ...(progress ? { onProgress: progress.update } : {}),
        });
        run.output.result(result, describe(result));
      } finally {
        progress?.clear();
      }
    });
  }
}

/** Of two files of one name in the same folder the second would replace the first. */
function refuseSameNames(files: readonly string[]): void {
  for (const [index, file] of files.entries()) {
    const twin = files.slice(0, index).find((other) => sameName(basename(other), basename(file)));
    if (twin !== undefined) {
      throw usageError(
        `${twin} and ${file} would have the same name`,
        "upload them to different folders",
        "sameName",
      );
    }
  }
}

function describe({ result, path, bytes, verdict }: TransferResult): string {
  return `${result} ${path} (${formatSize(bytes)}, ${verdict})`;
}
