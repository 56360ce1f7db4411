/** People, sites, teams and the app registrations of the tenant. */

import type { Drive } from "./drive.ts";

/** What tests call the people. */
export type UserKey = "adele" | "megan" | "dana" | "robin";

/** An account in one tenant: what a person who signs in there is known as. */
export interface User {
  readonly key: UserKey;
  readonly id: string;
  /** The tenant of this account; {@link PERSONAL_TENANT_ID} for a personal one. */
  readonly tenantId: string;
  /** Of a guest: the account in the tenant the person comes from. */
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

/** The tenant all personal accounts are in (PROTOCOL 1). */
export const PERSONAL_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad";

/** Whether this is a personal Microsoft account, as opposed to one for work. */
export function isPersonal(user: User): boolean {
  return user.tenantId === PERSONAL_TENANT_ID;
}

/** What a person may do in a site. */
export type Role = "owner" | "member" | "visitor";

/** A SharePoint site with its libraries, the default one first. */
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
  /** Personal sites hold a OneDrive; search does not find them. */
  readonly personal: boolean;
  readonly roles: ReadonlyMap<User, Role>;
  readonly drives: Drive[];
}

export interface Channel {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly created: Date;
}

/** A team is a group with a site; its channels are folders of the site's default library. */
export interface Team {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly members: readonly User[];
  readonly site: Site;
  readonly channels: readonly Channel[];
}

/** An app registration: the one the scripts sign in with, or the one for unattended work. */
export interface Application {
  readonly id: string;
  readonly displayName: string;
}

export interface Directory {
  readonly tenantId: string;
  /** Domains that may stand for the tenant id in a URL. */
  readonly domains: readonly string[];
  readonly hostname: string;
  readonly application: Application;
  /** Another organisation, where guests come from. It has no SharePoint. */
  readonly otherTenant: { readonly tenantId: string; readonly domains: readonly string[] };
  /** Everyone a browser offers at sign-in: the people of this tenant, its guests, and a personal account. */
  readonly users: readonly User[];
  readonly sites: readonly Site[];
  readonly teams: readonly Team[];
}

/** `host,siteCollectionGuid,webGuid` (PROTOCOL 2.1). */
export function siteId(site: Site): string {
  return `${site.hostname},${site.siteGuid},${site.webGuid}`;
}

/** The address of a site in the browser. */
export function siteUrl(site: Site): string {
  return `https://${site.hostname}${site.path}`;
}
