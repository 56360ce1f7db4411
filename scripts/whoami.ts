#!/usr/bin/env -S deno run -q --no-prompt --cached-only --frozen -P=whoami "-R=${HOME}/.config/graph-scripts,${HOME}/.local/state/graph-scripts" "-W=${HOME}/.local/state/graph-scripts"
/**
 * Signs in if needed, and shows who is signed in, proved by a real `GET /me`.
 *
 * Permissions on Microsoft Graph: `User.Read`.
 *
 * @module
 */
import type { AccountInfo } from "../lib/auth/accounts.ts";
import type { OptionDefinitions } from "../lib/cli/args.ts";
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import { getMe, type Me } from "../lib/drive/me.ts";
import { usageError } from "../lib/errors.ts";
import { formatDuration } from "../lib/format.ts";

const OPTIONS = {
  check: { type: "switch", help: "diagnose problems; read-only, never signs in" },
  accounts: { type: "switch", help: "list the accounts signed in on this machine" },
  for: { type: "text", placeholder: "WHAT", help: "consent ahead of unattended runs: teams, links" },
  "sign-out": { type: "switch", help: "forget the selected account on this machine" },
  all: { type: "switch", help: "with --sign-out: forget all accounts" },
} as const satisfies OptionDefinitions;

export const whoami: Command<typeof OPTIONS> = {
  name: "whoami",
  summary: "Sign in if needed, and show who is signed in.",
  forms: ["", "--check", "--accounts", "--for teams,links", "--sign-out [--all]"],
  arguments: { min: 0, max: 0, names: "" },
  options: OPTIONS,
  examples: ["", "--check --quiet", "--sign-out --account AdeleV@contoso.com"],
  run,
};

async function run(run: Run<typeof OPTIONS>): Promise<void> {
  const { all, "sign-out": signOut, accounts, check } = run.options;
  const actions = (["check", "accounts", "sign-out"] as const).filter((name) => run.options[name]);
  if (actions.length > 1) throw usageError(`--${actions.join(" and --")} cannot be combined`);
  if (all && !signOut) throw usageError("--all needs --sign-out");
  if (check) return await diagnoseProblems(run);
  if (accounts) return await listAccounts(run);
  if (signOut) return await forgetAccounts(run, all);
  if (run.options.for !== undefined) await consent(run, run.options.for);
  const me = await getMe(await run.connect("identity"));
  run.output.result(me, describe(me));
}

/** Gets a token with the permissions of these locations, besides those of sites and other drives. */
async function consent(run: Run, text: string): Promise<void> {
  const { session } = await run.connect("read");
  for (const reach of text.split(",")) {
    if (reach !== "teams" && reach !== "links") throw usageError(`--for ${text}: not of teams, links`);
    session.include(reach);
  }
  await session.token();
}

async function diagnoseProblems(run: Run): Promise<void> {
  const { diagnose, findingLine } = await import("../lib/cli/doctor/diagnose.ts"); // only needed here
  const { host, output, settingOptions, signal } = run;
  const http = { ...run.httpOptions(), signal };
  for await (
    const { finding, failure } of diagnose({ settingOptions, env: host.env, http, explain: output.explained })
  ) {
    if (finding.status !== "ok" || !output.options.quiet) output.result(finding, findingLine(finding));
    if (failure) run.fail(failure);
  }
}

async function listAccounts(run: Run): Promise<void> {
  const { session } = await run.connect("identity");
  const accounts = await session.accounts();
  for (const account of accounts) run.output.result(account, describeAccount(account));
  if (accounts.length === 0) run.output.notice("not signed in");
}

async function forgetAccounts(run: Run, all: boolean): Promise<void> {
  const { session } = await run.connect("identity");
  const accounts = await session.signOut({ all });
  const signedOut = accounts.length > 0;
  run.output.result(
    { signedOut, accounts },
    signedOut ? `signed out on this machine: ${accounts.join(", ")}` : "not signed in",
  );
}

function describeAccount({ chosen, ...account }: AccountInfo): string {
  const guest = account.homeTenantId === null ? "" : `, guest from ${account.homeTenantId}`;
  return `${chosen ? "*" : " "} ${account.displayName ?? "(no name)"} <${account.userPrincipalName}> ` +
    `(${account.kind}, tenant ${account.tenantId}${guest})`;
}

function describe(me: Me): string[] {
  const left = me.expiresAt === null
    ? ""
    : ` (in ${formatDuration((Date.parse(me.expiresAt) - Date.now()) / 1000)}; refreshed automatically)`;
  return [
    me.displayName === null && me.userPrincipalName === null
      ? "app-only, no user"
      : `${me.displayName ?? "(no name)"} <${me.userPrincipalName ?? me.id}>`,
    `id       ${me.id}`,
    `tenant   ${me.tenantId ?? "unknown"} (${me.cloud})`,
    `scopes   ${me.scopes.join(" ") || "unknown"} (of the token in use; --check lists all)`,
    `expires  ${me.expiresAt ?? "unknown"}${left}`,
    `cache    ${me.cache ?? "none: GRAPH_ACCESS_TOKEN is used"}`,
  ];
}

if (import.meta.main) Deno.exit(await runCommand(whoami, Deno.args));
