/** What a tenant has, as data: a JSON file, or an option of `startSandbox`. */

import { nameProblem, pathProblem } from "./names.ts";

/** A tenant. The first person signs in unless another is chosen. */
export interface TenantData {
  /** Its SharePoint is at the first label of this with `.sharepoint.com`. @default "contoso.com" */
  domain?: string;
  /** By a short name, which roles, tests and the state refer to. */
  people: Record<string, PersonData>;
  /** Sites by name. @default none */
  sites?: Record<string, SiteData>;
  /** Teams by name. @default none */
  teams?: Record<string, TeamData>;
}

/** A person, with a OneDrive unless a guest. */
export interface PersonData {
  /** Given name, and surname if there is one. */
  name: string;
  /** Address and sign-in name. @default the short name at the domain, or at outlook.com for a personal account */
  mail?: string;
  /** An account of this tenant, of another one that is a guest here, or a personal one. @default "work" */
  account?: "work" | "guest" | "personal";
  /** As a profile shows it. @default none */
  jobTitle?: string;
  /** Building and room. @default none */
  office?: string;
  /** Those in the OneDrive. @default none */
  files?: FilesData;
  /** Of a personal account: the id of its OneDrive, 16 hexadecimal digits. @default made from the short name */
  cid?: string;
}

/** A site with its libraries. People without a role cannot open it. */
export interface SiteData {
  /** Server-relative; "" for the root site. @default `/sites/` and the name */
  path?: string;
  /** What it is for. @default "" */
  description?: string;
  /** They may do everything. @default none */
  owners?: string[];
  /** They may read and write. @default none */
  members?: string[];
  /** They may only read. @default none */
  visitors?: string[];
  /** Who has made the files. @default the first owner, or else the first person */
  author?: string;
  /** By name, the default one first. @default "Documents", which is empty */
  libraries?: Record<string, FilesData>;
}

/** A team; the members of its site are its members. */
export interface TeamData {
  /** The name of its site. */
  site: string;
  /** What it is for. @default "" */
  description?: string;
  /** By name; `site`: the one of a private or shared channel. @default "General" */
  channels?: Record<string, { description?: string; site?: string }>;
}

/**
 * Files by path from the root of a drive. A path with a slash at its end is a folder, and takes null; other folders are made
 * where they are needed.
 */
export type FilesData = Record<string, FileData>;

/** Text, a size in bytes (of a file of zeros), a OneNote notebook, or a shortcut to the path `Site/Library/Folder`. */
export type FileData = string | number | null | Uint8Array | { notebook: true } | { shortcut: string };

/** The data is wrong: at which place, and how. */
export class TenantDataError extends Error {
  /** For `console` and `String`. */
  override name = "TenantDataError";
}

/** Parses the JSON of a tenant. @throws {TenantDataError} */
export function parseTenant(text: string): TenantData {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TenantDataError((error as Error).message);
  }
  checkTenant(value);
  return value;
}

/** The people, sites and teams of a tenant without their files. */
export function withoutFiles(data: TenantData): TenantData {
  const people = Object.entries(data.people).map(([key, { files: _, ...person }]) => [key, person]);
  const sites = Object.entries(data.sites ?? {}).map(([name, { libraries = { Documents: {} }, ...site }]) => {
    const empty = Object.keys(libraries).map((library) => [library, {}]);
    return [name, { ...site, libraries: Object.fromEntries(empty) }];
  });
  return { ...data, people: Object.fromEntries(people), sites: Object.fromEntries(sites) };
}

type Check = (value: unknown, at: string) => void;

function fail(at: string, problem: string): never {
  throw new TenantDataError(`${at === "" ? "the tenant" : at}: ${problem}`);
}

function text(value: unknown, at: string): void {
  if (typeof value !== "string") fail(at, "not a text");
}

function oneOf(...values: string[]): Check {
  return (value, at) => values.includes(value as string) || fail(at, `not one of ${values.join(", ")}`);
}

function matching(pattern: RegExp, what: string): Check {
  return (value, at) => (typeof value === "string" && pattern.test(value)) || fail(at, `not ${what}`);
}

function list(check: Check): Check {
  return (value, at) => {
    if (!Array.isArray(value)) fail(at, "not a list");
    value.forEach((entry, index) => check(entry, `${at}[${index}]`));
  };
}

function entriesOf(value: unknown, at: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(at, "not an object");
  return Object.entries(value);
}

/** An object whose keys are names. */
function named(checkName: (name: string, at: string) => void, check: Check): Check {
  return (value, at) => {
    for (const [name, entry] of entriesOf(value, at)) {
      const place = `${at}[${JSON.stringify(name)}]`;
      checkName(name, place);
      check(entry, place);
    }
  };
}

/** An object with these properties, the first `required` of them in any case. */
function shape(properties: Record<string, Check>, required = 0): Check {
  return (value, at) => {
    const entries = entriesOf(value, at);
    for (const [name, entry] of entries) {
      const check = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const place = at === "" ? name : `${at}.${name}`;
      if (check === undefined) {
        fail(place, `unknown; there are ${Object.keys(properties).join(", ")}`);
      }
      check(entry, place);
    }
    for (const name of Object.keys(properties).slice(0, required)) {
      if (!entries.some(([given]) => given === name)) fail(at, `${name} is missing`);
    }
  };
}

const shortName = (name: string, at: string) =>
  /^[a-z0-9][\w.-]*$/i.test(name) || fail(at, "not a short name of letters, digits, dots and hyphens");
const itemName = (name: string, at: string) => {
  const problem = nameProblem(name, { folder: true, atRoot: true });
  if (problem) fail(at, problem.message);
};
const itemPath = (path: string, at: string) => {
  const isFolder = path.endsWith("/");
  const problem = pathProblem(path.replace(/\/$/, "").split("/"), isFolder ? "folder" : "file");
  if (problem) fail(at, problem.message);
};

function fileData(value: unknown, at: string): void {
  const isFolder = at.endsWith('/"]');
  if (isFolder !== (value === null)) {
    fail(at, isFolder ? "a folder takes null" : "null is for folders, name/");
  }
  if (value === null || typeof value === "string" || value instanceof Uint8Array) return;
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || value < 0) fail(at, "not a size in bytes");
    return;
  }
  const forms = {
    notebook: (is: unknown, at: string) => is === true || fail(at, "not true"),
    shortcut: text,
  };
  shape(forms)(value, at);
  if (entriesOf(value, at).length !== 1) fail(at, "not a text, a size, a notebook or a shortcut");
}

const files = named(itemPath, fileData);
const keys = list(text);

const TENANT = shape({
  people: named(
    shortName,
    shape({
      name: matching(/^\S(.*\S)?$/, "a name"),
      mail: matching(/^[^@\s]+@[^@\s]+\.[^@\s]+$/, "an address"),
      account: oneOf("work", "guest", "personal"),
      jobTitle: text,
      office: text,
      files,
      cid: matching(/^[\da-f]{16}$/, "16 hexadecimal digits"),
    }, 1),
  ),
  domain: matching(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "a domain in lower case"),
  sites: named(
    itemName,
    shape({
      path: matching(/^$|^(\/[^/]+)+$/, "a path that begins with a slash"),
      description: text,
      owners: keys,
      members: keys,
      visitors: keys,
      author: text,
      libraries: named(itemName, files),
    }),
  ),
  teams: named(
    itemName,
    shape({
      site: text,
      description: text,
      channels: named(itemName, shape({ description: text, site: text })),
    }, 1),
  ),
}, 1);

/** Checks the shape of a tenant, and that what it refers to is there. @throws {TenantDataError} */
export function checkTenant(value: unknown): asserts value is TenantData {
  TENANT(value, "");
  const { people, sites = {}, teams = {} } = value as TenantData;
  const isWork = ({ account = "work" }: PersonData) => account === "work";
  if (!Object.values(people).some(isWork)) fail("people", "nobody has a work account");
  const person = (key: string, at: string) =>
    Object.hasOwn(people, key) || fail(at, `there is no person ${key}`);
  const site = (name: string | undefined, at: string) =>
    name === undefined || Object.hasOwn(sites, name) || fail(at, `there is no site ${name}`);
  for (const [key, { account, mail, files }] of Object.entries(people)) {
    const at = `people[${JSON.stringify(key)}]`;
    if (account === "guest" && mail === undefined) fail(at, "a guest needs mail");
    if (account === "guest" && files !== undefined) fail(`${at}.files`, "a guest has no OneDrive here");
  }
  for (const [name, data] of Object.entries(sites)) {
    const at = `sites[${JSON.stringify(name)}]`;
    for (const role of ["owners", "members", "visitors"] as const) {
      data[role]?.forEach((key, index) => person(key, `${at}.${role}[${index}]`));
    }
    if (data.author !== undefined) person(data.author, `${at}.author`);
  }
  for (const [name, { site: own, channels = {} }] of Object.entries(teams)) {
    const at = `teams[${JSON.stringify(name)}]`;
    site(own, `${at}.site`);
    for (const [channel, data] of Object.entries(channels)) {
      site(data.site, `${at}.channels[${JSON.stringify(channel)}].site`);
    }
  }
}
