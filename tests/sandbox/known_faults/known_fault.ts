/** A fault that the sandbox can produce by name. */

import type { FaultRule } from "../faults.ts";
import type { SandboxOptions } from "../options.ts";
import type { Behavior } from "../tenant/tenant.ts";

/** Something that goes wrong, by name. */
export interface KnownFault {
  /** One-line description. */
  what: string;
  /** Item of PROTOCOL 17.2. */
  item: number;
  /** Traps of PROTOCOL 16 or sections that document it. */
  traps: readonly string[];
  /** The scripts that it affects. */
  scripts: readonly ("whoami" | "ls" | "get" | "put" | "put-large")[];
  /** Creates rules, since some have state; they carry the name of the fault. */
  rules?: () => FaultRule[];
  /** How the tenant behaves instead. */
  behavior?: Partial<Behavior>;
  /** Options that can be set only at the start of a sandbox. */
  options?: Omit<SandboxOptions, "fault" | "faults">;
}

export const GET_CHILDREN: FaultRule = { service: "graph", method: "GET", path: "/children" };
export const PUT_CONTENT: FaultRule = { service: "graph", method: "PUT", path: "/content" };
export const CREATE_SESSION: FaultRule = { service: "graph", method: "POST", path: "createUploadSession" };
export const FRAGMENT: FaultRule = { service: "storage", method: "PUT" };
export const SECOND_FRAGMENT: FaultRule = { ...FRAGMENT, nth: 2 };
export const LAST_FRAGMENT: FaultRule = { ...FRAGMENT, lastFragment: true };
export const DOWNLOAD: FaultRule = { service: "storage", method: "GET", path: "download.aspx" };
/** A listing, a single-request upload, a second fragment and a download. */
export const THROTTLED_PLACES: readonly FaultRule[] = [GET_CHILDREN, PUT_CONTENT, SECOND_FRAGMENT, DOWNLOAD];
