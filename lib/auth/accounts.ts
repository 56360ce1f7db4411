/**
 * Selects one of the signed-in accounts. Several candidates are an error, never a guess.
 *
 * @module
 */
import type { CachedAccount } from "./cache_content.ts";
import { GraphError } from "../errors.ts";
import { isGuid } from "../json.ts";

/** The tenant of all personal Microsoft accounts. */
export const PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad";

/** A signed-in account, for display. */
export interface AccountInfo {
  userPrincipalName: string;
  displayName: string | null;
  /** Tenant of its tokens. */
  tenantId: string;
  /** Home tenant of a guest. */
  homeTenantId: string | null;
  kind: "work" | "personal";
  /** Whether a run with these settings uses it. */
  chosen: boolean;
}

export interface AccountSelector {
  /** Id, `common`, `organizations` or `consumers`. */
  tenant: string;
  /** User name, of the setting `account`. */
  wanted: string | undefined;
}

/** MSAL's account ids are `user.tenant`. */
function getHomeTenantId({ homeAccountId, realm }: CachedAccount): string {
  return homeAccountId.split(".")[1] ?? realm;
}

/** Whether the tokens are those of a personal account: no SharePoint, no `Sites.*` (PROTOCOL 13.5). */
export function isPersonal({ realm }: CachedAccount): boolean {
  return realm.toLowerCase() === PERSONAL_TENANT;
}

/** Whether only personal accounts match. */
export function isConsumers(tenant: string): boolean {
  return ["consumers", PERSONAL_TENANT].includes(tenant.toLowerCase());
}

/** Whether the tokens of an account are those of a tenant. */
function matchesTenant(account: CachedAccount, tenant: string): boolean {
  if (isConsumers(tenant)) return isPersonal(account);
  if (isGuid(tenant)) return account.realm.toLowerCase() === tenant.toLowerCase();
  // `common` and `organizations` sign a guest in at home, so a renewal would not bring tokens of the other tenant.
  const isAtHome = account.realm.toLowerCase() === getHomeTenantId(account).toLowerCase();
  return isAtHome && (/^common$/i.test(tenant) || !isPersonal(account));
}

/** Selects the one account that matches; throws `usage`, code `ambiguousAccount`, when there are several. */
export function selectAccount(
  accounts: readonly CachedAccount[],
  selector: AccountSelector,
): CachedAccount | undefined {
  const matches = accounts.filter((account) => isMeant(account, selector));
  if (matches.length <= 1) return matches[0];
  const message = `several accounts are signed in: ${namesOf(matches)}`;
  throw new GraphError("usage", message, { code: "ambiguousAccount" });
}

function isMeant(account: CachedAccount, { tenant, wanted }: AccountSelector): boolean {
  return matchesTenant(account, tenant) &&
    (wanted === undefined || account.username.toLowerCase() === wanted.toLowerCase());
}

/** The error where no matching account is signed in; it names those that are. */
export function notSignedInError(
  accounts: readonly CachedAccount[] = [],
  { wanted }: Partial<AccountSelector> = {},
): GraphError {
  const who = wanted === undefined ? "" : `${wanted} is `;
  const others = accounts.length === 0 ? "" : ` to this tenant; signed in: ${namesOf(accounts)}`;
  const details = { code: "notSignedIn", subject: wanted };
  return new GraphError("signInNeeded", `${who}not signed in${others}`, details);
}

export function toAccountInfo(accounts: CachedAccount[], selector: AccountSelector): AccountInfo[] {
  const matches = accounts.filter((account) => isMeant(account, selector));
  return accounts.map((account) => {
    const home = getHomeTenantId(account);
    return {
      userPrincipalName: account.username,
      displayName: account.name ?? null,
      tenantId: account.realm,
      homeTenantId: home.toLowerCase() === account.realm.toLowerCase() ? null : home,
      kind: home.toLowerCase() === PERSONAL_TENANT ? "personal" : "work",
      chosen: matches.length === 1 && account === matches[0],
    };
  });
}

function namesOf(accounts: readonly CachedAccount[]): string {
  return [...new Set(accounts.map(({ username }) => username))].join(", ");
}
