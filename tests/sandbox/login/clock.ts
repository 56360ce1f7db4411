/** The time as the sandbox's servers have it, which may differ from that of the machine. */

import type { Settings } from "../options.ts";

/** Milliseconds since 1970 by the servers' clock. */
export function serverTime(settings: Settings): number {
  return Date.now() + settings.clockOffsetSeconds * 1000;
}
