/** The time of the sandbox's servers, which may differ from the machine's. */

import type { Settings } from "../options.ts";

/** Server time in milliseconds since 1970. */
export function serverTime(settings: Settings): number {
  return Date.now() + settings.clockOffsetSeconds * 1000;
}
