/** The clients of `deno task clients`. */

import type { Client } from "./client.ts";
import { cliMicrosoft365 } from "./cli_microsoft365.ts";
import { onedrive } from "./onedrive.ts";
import { rclone } from "./rclone.ts";
import { graphSdk, kiotaSdk, msalAndRequests } from "./sdks.ts";

/** In the order of the table. */
export const CLIENTS: readonly Client[] = [
  rclone,
  onedrive,
  msalAndRequests,
  cliMicrosoft365,
  graphSdk,
  kiotaSdk,
];
