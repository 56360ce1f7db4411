/** Users, sites, teams and app registrations of the tenant. */

import type { Drive } from "./drive.ts";

/** The short name of a person: in contoso adele, megan, dana or robin. */
export type UserKey = string;

/** An account in one tenant. */
export interface User {
  readonly key: UserKey;
  readonly id: string;
  /** The tenant of this account; {@link PERSONAL_TENANT_ID} for a personal one. */
  readonly tenantId: string;
  /** A guest's account in the home tenant. */
  readonly home: User | undefined;
  readonly displayName: string;
  readonly givenName: string;
  readonly surname: string;
  readonly userPrincipalName: string;
  readonly mail: string;
  readonly jobTitle: string | null;
  readonly officeLocation: string | null;
  readonly businessPhone: string | undefined;
}

/** The tenant of all personal accounts (PROTOCOL 1). */
export const PERSONAL_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad";

/** Whether this is a personal Microsoft account rather than a work account. */
export function isPersonal(user: User): boolean {
  return user.tenantId === PERSONAL_TENANT_ID;
}

export type Role = "owner" | "member" | "visitor";

/** A SharePoint site and its libraries, the default one first. */
export interface Site {
  readonly hostname: string;
  /** Server-relative path; "" for the root site. */
  readonly path: string;
  readonly siteGuid: string;
  readonly webGuid: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly created: Date;
  /** Whether the site holds a OneDrive; search omits such sites. */
  readonly personal: boolean;
  readonly roles: ReadonlyMap<User, Role>;
  readonly drives: Drive[];
}

export interface Channel {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly created: Date;
  /** The site of a private or shared channel, with a library of its own. */
  readonly site?: Site;
}

/** A group with a site; its channels are folders of the site's default library. */
export interface Team {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly members: readonly User[];
  readonly site: Site;
  readonly channels: readonly Channel[];
}

/** An app registration: the one for users, or the app-only one. */
export interface Application {
  readonly id: string;
  readonly displayName: string;
}

export interface Directory {
  readonly tenantId: string;
  /** Domains that can replace the tenant id in a URL. */
  readonly domains: readonly string[];
  readonly hostname: string;
  readonly application: Application;
  /** Another organization, the home of guests. It has no SharePoint. */
  readonly otherTenant: { readonly tenantId: string; readonly domains: readonly string[] };
  /** All accounts offered at sign-in: users of this tenant, guests and a personal account. */
  readonly users: readonly User[];
  readonly sites: readonly Site[];
  readonly teams: readonly Team[];
}

/** `host,siteCollectionGuid,webGuid` (PROTOCOL 2.1). */
export function siteId(site: Site): string {
  return `${site.hostname},${site.siteGuid},${site.webGuid}`;
}

/** The URL of a site in the browser. */
export function siteUrl(site: Site): string {
  return `https://${site.hostname}${site.path}`;
}

/** The user with this short name. @throws {Error} */
export function userNamed({ users }: Directory, key: UserKey): User {
  const user = users.find((user) => user.key === key);
  if (user === undefined) {
    throw new Error(`no person ${key}; there are ${users.map(({ key }) => key).join(", ")}`);
  }
  return user;
}
