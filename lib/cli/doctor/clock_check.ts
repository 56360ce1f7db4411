/**
 * Whether the clock of this machine is right; sign-in fails when it is not.
 *
 * @module
 */
import { type Diagnosis, fail, ok, warn } from "./finding.ts";

const WARN_SECONDS = 60;
const FAIL_SECONDS = 300;

/**
 * Compares the clocks of the services with ours. The smallest offset counts, because a proxy may repeat an old response.
 *
 * @param offsetsMs How far each service is ahead of this machine.
 */
export function checkClock(offsetsMs: readonly number[]): Diagnosis {
  const [offsetMs] = offsetsMs.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  if (offsetMs === undefined) return warn("clock", "not checked", "fix the findings about hosts first");
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  if (seconds < 2) return ok("clock", "agrees with the service"); // the service's time has whole seconds
  const detail = `${seconds} s ${offsetMs > 0 ? "behind" : "ahead of"} the service`;
  const hint = "set the clock of this machine, best by NTP (on many systems: timedatectl set-ntp true)";
  if (seconds > FAIL_SECONDS) return fail("clock", "usage", detail, hint);
  return seconds > WARN_SECONDS ? warn("clock", detail, hint) : ok("clock", detail);
}
