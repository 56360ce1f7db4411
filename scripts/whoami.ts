#!/usr/bin/env -S deno run -q -P=whoami
/**
 * Signs in if needed, and proves the session with a real `GET /me`.
 *
 * Permissions on Microsoft Graph: `User.Read`.
 *
 * @module
 */
import type { AccountInfo } from "../lib/auth/accounts.ts";
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import type { Diagnosis } from "../lib/cli/doctor/finding.ts";
import { usageError } from "../lib/errors.ts";
import { getMe, type Me } from "../lib/drive/me.ts";
import { formatDuration } from "../lib/format.ts";

/** The definition of `whoami`. */
export const whoami: Command = {
  name: "whoami",
  summary: "Signs in if needed, and shows who is signed in.",
  forms: ["", "--check", "--accounts", "--sign-out [--all]"],
  arguments: { min: 0, max: 0, names: "" },
  options: [
    { name: "check", help: "look for what is wrong, and change nothing; --quiet leaves out what is well" },
    { name: "accounts", help: "who is signed in on this machine; asks nobody and sends nothing" },
    { name: "sign-out", help: "forget the chosen account on this machine" },
    { name: "all", help: "with --sign-out: forget all accounts" },
  ],
  locations: false,
  run,
};

async function run(run: Run): Promise<void> {
  const doing = ["check", "accounts", "sign-out"].filter((name) => run.has(name));
  if (doing.length > 1) {
    throw usageError(`--${doing.join(" and --")} do not go together`, "see whoami --help");
  }
  if (run.has("all") && !run.has("sign-out")) {
    throw usageError("--all goes with --sign-out only", "see whoami --help");
  }
  if (run.has("check")) return await check(run);
  const connection = await run.connect("identity");
  if (run.has("accounts")) {
    const accounts = await connection.session.accounts();
    for (const account of accounts) run.output.result(account, describeAccount(account));
    if (accounts.length === 0) run.output.notice("nobody is signed in");
    return;
  }
  if (run.has("sign-out")) {
    const accounts = await connection.session.signOut({ all: run.has("all") });
    const signedOut = accounts.length > 0;
    run.output.result(
      { signedOut, accounts },
      signedOut ? `signed out on this machine: ${accounts.join(", ")}` : "nobody was signed in",
    );
    return;
  }
  const me = await getMe(connection);
  run.output.result(me, describe(me));
}

async function check(run: Run): Promise<void> {
  const { diagnose, findingLine, worst } = await import("../lib/cli/doctor/diagnose.ts"); // nobody else needs it loaded
  const http = { ...run.httpOptions(), signal: run.signal };
  const troubles = new Set<Diagnosis["trouble"]>();
  for await (const { finding, trouble } of diagnose({ flags: run.settings(), env: run.host.env, http })) {
    troubles.add(trouble);
    if (finding.status === "ok" && run.output.options.quiet) continue;
    run.output.result(finding, findingLine(finding));
  }
  const kind = worst(troubles);
  if (kind) run.endAs(kind);
}

function describeAccount({ chosen, ...account }: AccountInfo): string {
  const guest = account.homeTenantId === null ? "" : `, guest from ${account.homeTenantId}`;
  return `${chosen ? "*" : " "} ${account.displayName ?? "(no name)"} <${account.userPrincipalName}> ` +
    `(${account.kind}, tenant ${account.tenantId}${guest})`;
}

function describe(me: Me): string[] {
  const left = me.expiresAt === null
    ? ""
    : ` (in ${formatDuration((Date.parse(me.expiresAt) - Date.now()) / 1000)}; renewed by itself)`;
  return [
    me.displayName === null && me.userPrincipalName === null
      ? "an app by itself, for no person"
      : `${me.displayName ?? "(no name)"} <${me.userPrincipalName ?? me.id}>`,
    `id       ${me.id}`,
    `tenant   ${me.tenantId ?? "unknown"} (${me.cloud})`,
    `scopes   ${me.scopes.join(" ") || "unknown"} (of the token used; --check lists those of all)`,
    `expires  ${me.expiresAt ?? "unknown"}${left}`,
    `cache    ${me.cache ?? "none: GRAPH_ACCESS_TOKEN is used"}`,
  ];
}

if (import.meta.main) Deno.exit(await runCommand(whoami, Deno.args));
