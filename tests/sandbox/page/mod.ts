/** `GET /` of the sign-in origin: what is in the tenant and what clients are doing, for people who rehearse. */

import type { Faults } from "../faults.ts";
import type { FaultName } from "../known_faults.ts";
import { escapeHtml } from "../login/html.ts";
import type { ServiceRequest, ServiceResponse } from "../messages.ts";
import type { RequestLog } from "../request_log.ts";
import type { State } from "../state.ts";
import { requestsSection, sessionsSection } from "./activity.ts";
import { drivesSection } from "./drives.ts";
import { faultsSection } from "./faults.ts";
import { overviewResponse } from "./layout.ts";

/** What the page shows. */
export interface Overview {
  readonly state: State;
  readonly log: RequestLog;
  readonly faults: Faults;
  /** Known faults that are no rules: they changed the tenant or its settings. */
  readonly behaviors: FaultName[];
}

/** Whether a request is for the page, which is neither logged nor struck by faults. */
export function isOverviewRequest({ service, method, path }: ServiceRequest): boolean {
  return service === "login" && (method === "GET" || method === "HEAD") && path === "/";
}

export function overviewPage({ state, log, faults, behaviors }: Overview): ServiceResponse {
  const { tenant } = state;
  const people = tenant.directory.users.map((user) => user.displayName);
  const introduction = `<p>${escapeHtml(tenant.directory.domains[0]!)}: ${
    escapeHtml([...new Set(people)].join(", "))
  }. <a href="/devicelogin">Enter a device code</a></p>`;
  return overviewResponse("Sandbox of Microsoft 365", introduction, [
    drivesSection(tenant.drives),
    sessionsSection(tenant.openSessions(), tenant),
    faultsSection(faults, behaviors),
    requestsSection(log.requests, (record) => log.isOpen(record)),
  ]);
}
