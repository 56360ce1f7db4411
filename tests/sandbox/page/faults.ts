/** The faults in force, and how often each has struck. */

import { faultName, type FaultRule, type Faults } from "../faults.ts";
import { type FaultName, isFaultName, knownFault } from "../known_faults.ts";
import { escapeHtml } from "../login/html.ts";
import { type Section, table } from "./layout.ts";

const COLUMNS = [
  { title: "Fault" },
  { title: "What happens" },
  { title: "Requests" },
  { title: "Struck", number: true },
] as const;

export function faultsSection(faults: Faults, behaviors: readonly FaultName[]): Section {
  const rows = [
    ...behaviors.map((name) => [escapeHtml(name), escapeHtml(knownFault(name).what), "", "always on"]),
    ...faults.rules.map((rule) => {
      const name = faultName(rule);
      const what = isFaultName(name) ? knownFault(name).what : "scripted";
      return [escapeHtml(name), escapeHtml(what), escapeHtml(requestsOf(rule)), struckText(rule, faults)];
    }),
  ];
  const html = rows.length === 0 ? "<p>None.</p>" : table("faults-table", "Faults", COLUMNS, rows);
  return { id: "faults", title: "Faults", html };
}

/** The requests that a rule strikes. */
function requestsOf({ service, method, path, nth = 1 }: FaultRule): string {
  const parts = [service, method, path, nth === 1 ? undefined : `(from number ${nth} on)`];
  return parts.filter((part) => part !== undefined).join(" ") || "every request";
}

function struckText(rule: FaultRule, faults: Faults): string {
  const struck = faults.strikes(rule);
  return rule.times === "always" ? `${struck}` : `${struck} of ${rule.times ?? 1}`;
}
