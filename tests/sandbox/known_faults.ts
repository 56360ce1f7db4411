/** The faults of PROTOCOL 17.2 by name, for `deno task sandbox --fault NAME` and for tests. */

import { DOWNLOADS } from "./known_faults/downloads.ts";
import { FRAGMENTS } from "./known_faults/fragments.ts";
import type { KnownFault } from "./known_faults/known_fault.ts";
import { LIVE_FORMS } from "./known_faults/live_forms.ts";
import { LISTINGS } from "./known_faults/listings.ts";
import { ODD_RESPONSES } from "./known_faults/odd_responses.ts";
import { SESSIONS } from "./known_faults/sessions.ts";
import { SIGN_IN } from "./known_faults/sign_in.ts";
import { THROTTLING } from "./known_faults/throttling.ts";
import type { SandboxOptions } from "./options.ts";

export type { KnownFault };

/**
 * All known faults by name.
 *
 * @internal Its type is as long as the table; {@link knownFault} describes a fault.
 */
/**
 * All known faults by name.
 *
 * @internal Its type is as long as the table; {@link knownFault} describes a fault.
 */
export const KNOWN_FAULTS = {
  ...THROTTLING,
  ...FRAGMENTS,
  ...SESSIONS,
  ...DOWNLOADS,
  ...LISTINGS,
  ...SIGN_IN,
  ...ODD_RESPONSES,
  ...LIVE_FORMS,
} satisfies Record<string, KnownFault>;

/** The name of a known fault. */
/** The name of a known fault. */
export type FaultName = keyof typeof KNOWN_FAULTS;

/** Whether this is the name of a known fault. */
export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(KNOWN_FAULTS, name);
}

/** A known fault: what happens, and how. */
/** A known fault: what happens, and how. @throws {Error} when there is none with this name */
export function knownFault(name: FaultName): KnownFault {
  if (!isFaultName(name)) {
    throw new Error(`there is no fault "${name}"; there are ${Object.keys(KNOWN_FAULTS).join(", ")}`);
  }
  return KNOWN_FAULTS[name];
}

/** The combined sandbox options of several faults. */
export function optionsOf(names: readonly FaultName[]): SandboxOptions {
  return Object.assign({}, ...names.map((name) => knownFault(name).options));
}

/** One line per fault, for `--fault help`. */
export function listKnownFaults(): string {
  const names = Object.keys(KNOWN_FAULTS) as FaultName[];
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => {
    const { what, scripts } = knownFault(name);
    return `${name.padEnd(width)}  ${scripts.join(", ")}: ${what}\n`;
  }).join("");
}
