/**
 * Which of the signed-in accounts is meant. Several that could be meant are an error, never a guess.
 *
 * @module
 */
import type { CachedAccount } from "./cache_content.ts";
import { commandName } from "../cli/hints.ts";
import { GraphError, usageError } from "../errors.ts";

/** The tenant of all personal Microsoft accounts. */
export const PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad";

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An account as `whoami --accounts --json` prints it. */
export interface AccountInfo {
  userPrincipalName: string;
  displayName: string | null;
  /** Tenant of its tokens. */
  tenantId: string;
  /** Tenant that the person comes from, of a guest. */
  homeTenantId: string | null;
  kind: "work" | "personal";
  /** Whether a run with these settings uses it; `null` when only the service knows whose domain the tenant is. */
  chosen: boolean | null;
}

/** What is meant. */
export interface AccountSelector {
  /** Id, `common`, `organizations` or `consumers`; `undefined` for a domain that nobody has looked up. */
  tenant: string | undefined;
  /** User name of `--account`. */
  wanted: string | undefined;
}

/** The tenant that the person comes from; MSAL's account ids are `person.tenant`. */
function getHomeTenantId({ homeAccountId, realm }: CachedAccount): string {
  return homeAccountId.split(".")[1] ?? realm;
}

/** Whether the tokens are those of a personal account: no SharePoint, no `Sites.*` (PROTOCOL 13.5). */
export function isPersonal({ realm }: CachedAccount): boolean {
  return realm.toLowerCase() === PERSONAL_TENANT;
}

/** Whether a tenant is given by its domain, which says nothing about its id. */
export function isDomain(tenant: string): boolean {
  return tenant.includes(".");
}

/** Whether only personal accounts can be meant. */
export function isConsumers(tenant: string | undefined): boolean {
  return /^consumers$/i.test(tenant ?? "") || tenant?.toLowerCase() === PERSONAL_TENANT;
}

/** Whether tokens of this account are those of the tenant. */
export function matchesTenant(account: CachedAccount, tenant: string): boolean {
  if (isConsumers(tenant)) return isPersonal(account);
  if (GUID.test(tenant)) return account.realm.toLowerCase() === tenant.toLowerCase();
  // At these addresses the service signs a guest in at home, so tokens of a guest are others than a renewal would bring.
  const atHome = account.realm.toLowerCase() === getHomeTenantId(account).toLowerCase();
  return atHome && (/^common$/i.test(tenant) || !isPersonal(account));
}

/**
 * The one account that is meant.
 *
 * @throws {GraphError} `usage`, code `ambiguousAccount`, naming them when there are several.
 */
export function selectAccount(
  accounts: readonly CachedAccount[],
  { tenant, wanted }: AccountSelector,
): CachedAccount | undefined {
  const meant = accounts.filter((account) =>
    tenant !== undefined && matchesTenant(account, tenant) &&
    (wanted === undefined || isCalled(account, wanted))
  );
  if (meant.length <= 1) return meant[0];
  throw usageError(
    `several accounts are signed in: ${namesOf(meant)}`,
    "choose one with --account or GRAPH_ACCOUNT",
    "ambiguousAccount",
  );
}

/** The accounts that are to be signed out: the chosen one, or all. */
export function accountsToForget(
  accounts: readonly CachedAccount[],
  choice: AccountSelector,
  all: boolean,
): CachedAccount[] {
  if (all) return [...accounts];
  const account = selectAccount(accounts, choice);
  if (account) return [account];
  if (choice.wanted === undefined || accounts.length === 0) return [];
  throw usageError(
    `${choice.wanted} is not signed in; signed in: ${namesOf(accounts)}`,
    "choose one of them, or --all",
    "accountNotFound",
  );
}

/** Nobody who is meant is signed in; says who is. */
export function notSignedInError(
  accounts: readonly CachedAccount[] = [],
  { tenant, wanted }: Partial<AccountSelector> = {},
): GraphError {
  const others = accounts.length > 0;
  const what = wanted !== undefined && others
    ? `${wanted} is not signed in${tenant === undefined ? "" : ` to ${tenant}`}; signed in: ${
      namesOf(accounts)
    }`
    : `not signed in${
      others ? ` to ${tenant ?? "this tenant"}; signed in elsewhere: ${namesOf(accounts)}` : ""
    }`;
  return new GraphError("signInNeeded", what, {
    code: "notSignedIn",
    hint: `sign in once, in a terminal, with: ${commandName("whoami")}${
      wanted === undefined ? "" : ` --account ${wanted}`
    }`,
  });
}

/** All accounts, for people. */
export function toAccountInfo(accounts: readonly CachedAccount[], choice: AccountSelector): AccountInfo[] {
  let chosen: CachedAccount | undefined;
  try {
    chosen = selectAccount(accounts, choice);
  } catch (error) {
    // Several fit, so none is chosen: the list is there to choose from.
    if (!(error instanceof GraphError) || error.code !== "ambiguousAccount") throw error;
  }
  return accounts.map((account) => {
    const home = getHomeTenantId(account);
    return {
      userPrincipalName: account.username,
      displayName: account.name ?? null,
      tenantId: account.realm,
      homeTenantId: home.toLowerCase() === account.realm.toLowerCase() ? null : home,
      kind: home.toLowerCase() === PERSONAL_TENANT ? "personal" : "work",
      chosen: choice.tenant === undefined ? null : account === chosen,
    };
  });
}

function isCalled(account: CachedAccount, name: string): boolean {
  return account.username.toLowerCase() === name.toLowerCase();
}

function namesOf(accounts: readonly CachedAccount[]): string {
  return [...new Set(accounts.map(({ username }) => username))].join(", ");
}
