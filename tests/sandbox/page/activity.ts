/** What clients are doing: open upload sessions, and the latest requests. */

import { escapeHtml } from "../login/html.ts";
import type { RequestRecord } from "../request_handler.ts";
import { maskedTarget } from "../request_log.ts";
import type { SessionInfo } from "../storage/upload_sessions.ts";
import type { Tenant } from "../tenant/tenant.ts";
import { formatBytes, formatTime, type Section, table } from "./layout.ts";

const MAX_REQUESTS = 200;

export function sessionsSection(sessions: readonly SessionInfo[], tenant: Tenant): Section {
  const rows = sessions.map((session) => [
    `<code>${escapeHtml(session.path)}</code> in ${escapeHtml(tenant.drive(session.driveId).info.name)}`,
    progressOf(session),
    formatTime(session.created),
    formatTime(session.expires),
  ]);
  const columns = ["File", "Received", "Started", "Expires"].map((title) => ({ title }));
  const html = rows.length === 0 ? "<p>None.</p>" : table("sessions-table", "Upload sessions", columns, rows);
  return { id: "sessions", title: "Upload sessions", html };
}

function progressOf({ keptBytes, totalBytes }: SessionInfo): string {
  if (totalBytes === undefined) return "nothing yet";
  const text = `${formatBytes(keptBytes)} of ${formatBytes(totalBytes)}`;
  return `<progress value="${keptBytes}" max="${totalBytes}" aria-label="${text}"></progress> ${text}`;
}

const REQUEST_COLUMNS = [
  { title: "Time" },
  { title: "Service" },
  { title: "Request" },
  { title: "Status" },
  { title: "Sent", number: true },
  { title: "ms", number: true },
  { title: "Fault" },
] as const;

/** The latest requests, newest first. */
export function requestsSection(
  requests: readonly RequestRecord[],
  isOpen: (record: RequestRecord) => boolean,
): Section {
  const latest = requests.slice(-MAX_REQUESTS).reverse();
  const rows = latest.map((record) => [
    formatTime(new Date(record.at)),
    record.service,
    requestText(record),
    isOpen(record) ? "in progress" : statusText(record.status),
    record.requestBytes === 0 ? "" : formatBytes(record.requestBytes),
    isOpen(record) ? "" : String(Math.round(record.ms)),
    record.fault === undefined ? "" : `<span class="bad">${escapeHtml(record.fault)}</span>`,
  ]);
  const html = rows.length === 0
    ? "<p>None yet.</p>"
    : table("requests-table", "Latest requests", REQUEST_COLUMNS, rows);
  return { id: "requests", title: "Requests", html: `<p class="quiet">${requests.length} so far</p>${html}` };
}

/** Ids are shortened; the whole target is the tooltip. */
function requestText({ method, path }: RequestRecord): string {
  const target = maskedTarget(path);
  const short = target.replace(/[\w!-]{24,}/g, (id) => `${id.slice(0, 6)}…`);
  return `${escapeHtml(method)} <code title="${escapeHtml(target)}">${escapeHtml(short)}</code>`;
}

/** Told apart without colors too. */
function statusText(status: number): string {
  if (status === 0) return '<span class="bad">cut</span>';
  return status < 400 ? String(status) : `<span class="bad">${status}</span>`;
}
