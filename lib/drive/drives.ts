/**
 * Drives, sites and teams by name: the user's own OneDrive, SharePoint sites and their libraries.
 *
 * @module
 */
import type { Drive, Site, Team } from "../graph/types.ts";
import type { AuthSession } from "../auth/session.ts";
import { GraphError, isGraphError, usageError } from "../errors.ts";
import type { GraphClient } from "../graph/client.ts";
import { hasId } from "../json.ts";
import type { Settings } from "../settings.ts";
import { nearest } from "../suggest.ts";
import { decodeName, encodePath } from "./address.ts";
import { canonicalDriveId } from "./drive_item.ts";
import { parseSite, type SiteName } from "./location.ts";
import { sameName } from "./names.ts";
import type { PlaceMemory } from "./place_memory.ts";

/** A drive: a OneDrive, or a document library of a site. */
export interface DriveInfo {
  /** To address it, as `drive:ID`. */
  id: string;
  /** As a browser shows it. */
  name: string;
  /** `personal`, `business` or `documentLibrary`. */
  driveType: string;
  /** Its address in a browser. */
  webUrl: string;
}

/** A SharePoint site. */
export interface SiteInfo {
  /** Host and two GUIDs. */
  id: string;
  /** As a browser shows it. */
  name: string;
  /** Its address in a browser. */
  webUrl: string;
}

/** A team of Microsoft Teams. */
export interface TeamInfo {
  id: string;
  name: string;
  description: string;
}

interface DriveContext {
  graph: GraphClient;
  settings: Pick<Settings, "site" | "siteHost" | "drive">;
  /** Gets access to all drives before anything beyond the own OneDrive is requested. */
  session?: Pick<AuthSession, "accountType" | "include">;
  /** @default nothing is remembered for later runs */
  memory?: PlaceMemory | undefined;
  /** Called with each step of finding a place. */
  explain?: ((text: string) => void) | undefined;
}

/** Finds drives and sites; each is looked up once. */
export class Drives {
  readonly context: DriveContext;
  readonly #found = new Map<string, Promise<unknown>>();
  /** Their items can be addressed by id without a request, and without permissions for other drives. */
  readonly #byId = new Map<string, DriveInfo>();

  constructor(context: DriveContext) {
    this.context = context;
  }

  /** The drive of paths without a prefix: from the settings, else the own OneDrive. */
  default(): Promise<DriveInfo> {
    const { drive } = this.context.settings;
    if (drive) return this.named(drive);
    const site = this.#defaultSite();
    return site ? this.ofSite(site) : this.own();
  }

  /**
   * The user's own OneDrive; the first request of all sets it up where there is a license (PROTOCOL 2.2b).
   *
   * @throws {GraphError} `notFound`, code `noOneDrive` or `noSharePoint`; `usage`, code `noOwnDrive`, for app-only sessions.
   */
  async own(): Promise<DriveInfo> {
    if (await this.context.session?.accountType() === "app") {
      const hint = "address a library: site:HOST/sites/NAME/PATH or drive:ID/PATH, or set GRAPH_SITE";
      throw usageError("app-only sign-in has no OneDrive", hint, "noOwnDrive");
    }
    try {
      return await this.get("/me/drive", "your OneDrive");
    } catch (error) {
      // The wording differs from year to year, so the status decides (PROTOCOL L4).
      if (isGraphError(error) && error.kind === "notFound") {
        throw error.withMessage("you have no OneDrive in this tenant", { code: "noOneDrive" });
      }
      throw noSharePointError(error) ?? error;
    }
  }

  /**
   * A library of the default site by its name or URL segment, or any drive by id.
   *
   * @throws {GraphError} `notFound`, code `driveNotFound`, or `usage`, code `ambiguousDrive`, both with the candidates.
   */
  async named(drive: string): Promise<DriveInfo> {
    const known = this.#byId.get(canonicalDriveId(drive));
    if (known) return known;
    if (isDriveId(drive)) {
      this.context.session?.include("allDrives");
      return await this.get(`/drives/${encodeURIComponent(drive)}`, `drive ${drive}`);
    }
    const drives = await this.all();
    const matches = drives.filter((candidate) => isCalled(candidate, drive));
    if (matches.length === 1) return matches[0]!;
    if (matches.length === 0) {
      throw new GraphError("notFound", `no drive here is called ${drive}`, {
        code: "driveNotFound",
        hint: suggestion(drive, drives.map(({ name }) => name), `there are: ${listOf(drives)}`),
      });
    }
    const problem = `several drives are called ${drive}: ${listOf(matches)}`;
    throw usageError(problem, "use the id: drive:ID/PATH", "ambiguousDrive");
  }

  /** The libraries of a site, or else the user's own drives. @param site @default that of the settings */
  async all(site: SiteName | undefined = this.#defaultSite()): Promise<DriveInfo[]> {
    if (site) return await this.allOfSite(site);
    const own = await this.own();
    const listed = await this.#list("/me/drives", "your drives");
    // The listing can lack the OneDrive itself (PROTOCOL L1).
    return [own, ...listed.filter(({ id }) => id !== own.id)];
  }

  #defaultSite(): SiteName | undefined {
    const { site, siteHost } = this.context.settings;
    return site === undefined ? undefined : parseSite(site, siteHost);
  }

  /** The default library of a site. */
  async ofSite(site: SiteName): Promise<DriveInfo> {
    const { id, name } = await this.#findSiteOrSuggest(site);
    return await this.get(`/sites/${id}/drive`, `default library of site ${name}`);
  }

  /** All libraries of a site. */
  async allOfSite(site: SiteName): Promise<DriveInfo[]> {
    const { id, name } = await this.#findSiteOrSuggest(site);
    return await this.#list(`/sites/${id}/drives`, `libraries of site ${name}`);
  }

  /** As {@linkcode findSite}; where there is none, the error names the nearest site of the search index. */
  async #findSiteOrSuggest(site: SiteName): Promise<SiteInfo> {
    try {
      return await this.findSite(site);
    } catch (error) {
      if (!isGraphError(error) || error.code !== "siteNotFound") throw error;
      const { value = [] } = await this.context.graph.requestJson<{ value?: Site[] }>(
        "/sites?search=*",
        { what: "search for sites", retry: "never" },
      ).catch(() => ({ value: [] })); // the first error counts
      const urls = value.map(({ webUrl }) => webUrl ?? "");
      const near = nearest(site.path.split("/").at(-1)!, urls.map(urlSegment));
      const url = urls.find((url) => urlSegment(url) === near)?.replace("https://", "");
      throw url ? error.withMessage(error.message, { hint: `did you mean site:${url}?` }) : error;
    }
  }

  /** @throws {GraphError} `notFound`, code `siteNotFound`, `foreignHost` or `noSharePoint`; `usage`, code `noSites`. */
  async findSite({ host, path }: SiteName): Promise<SiteInfo> {
    const what = `site ${host}/${path}`;
    await this.prepareForSites(what);
    const url = `/sites/${encodeURIComponent(host)}${path ? `:/${encodePath(path.split("/"))}` : ""}`;
    return await this.once(url, async () => {
      try {
        return toSiteInfo(await this.context.graph.requestJson<Site>(url, { what, accepts: hasId }));
      } catch (error) {
        if (!isGraphError(error)) throw error;
        if (error.kind === "notFound") {
          throw error.withMessage(error.message, { code: "siteNotFound", subject: path });
        }
        if (!isRejectedRequest(error)) throw error;
        throw noSharePointError(error) ?? error.withMessage(`${what}: ${host} is not a host of this tenant`, {
          kind: "notFound",
          code: "foreignHost",
          hint: "check GRAPH_SITE, GRAPH_SITE_HOST and GRAPH_TENANT_ID",
        });
      }
    });
  }

  /** Finds sites in the search index, which may lack new ones (PROTOCOL L5). */
  async *searchSites(text: string): AsyncGenerator<SiteInfo> {
    const what = "search for sites";
    await this.prepareForSites(what);
    try {
      const url = `/sites?search=${encodeURIComponent(text || "*")}`;
      for await (const page of this.context.graph.pages<Site>(url, what, hasId)) {
        yield* page.map(toSiteInfo);
      }
    } catch (error) {
      if (!isGraphError(error) || error.kind !== "notFound") throw noSharePointError(error) ?? error;
      throw error.withMessage(`${what}: not possible for accounts that may not open the tenant's root site`, {
        kind: "refused",
        hint: "address the site by its URL instead: site:HOST/sites/NAME",
      });
    }
  }

  /** The teams that the user is a member of. */
  async teams(): Promise<TeamInfo[]> {
    await this.prepareForSites("your teams");
    this.context.session?.include("teams");
    const pages = this.context.graph.pages<Team>("/me/joinedTeams", "your teams", hasId);
    return (await Array.fromAsync(pages)).flat().map(({ id, displayName, description }) => ({
      id: id ?? "",
      name: displayName ?? "",
      description: description ?? "",
    }));
  }

  /** @throws {GraphError} `usage` for a personal account, for which no request is sent. */
  async prepareForSites(what: string): Promise<void> {
    const { session } = this.context;
    session?.include("allDrives");
    if (await session?.accountType() !== "personal") return;
    throw usageError(`${what}: a personal Microsoft account has no sites and no teams`, undefined, "noSites");
  }

  /** A drive by its URL below Graph. */
  async get(url: string, what: string): Promise<DriveInfo> {
    const request = { what, accepts: hasId };
    const drive = await this.once(
      url,
      async () => toDriveInfo(await this.context.graph.requestJson<Drive>(url, request)),
    );
    this.#byId.set(drive.id, drive);
    return drive;
  }

  async #list(url: string, what: string): Promise<DriveInfo[]> {
    const drives = await this.once(url, async () => {
      const pages = await Array.fromAsync(this.context.graph.pages<Drive>(url, what, hasId));
      return pages.flat().map(toDriveInfo);
    });
    for (const drive of drives) this.#byId.set(drive.id, drive);
    return drives;
  }

  /**
   * Forgets what earlier runs have found and this one has used.
   *
   * @returns Whether there was anything, so that a failed lookup may succeed now.
   */
  async forget(): Promise<boolean> {
    const wasUsed = await this.context.memory?.forget() ?? false;
    if (wasUsed) this.#found.clear();
    return wasUsed;
  }

  /** Requests a place once in this run, and in later ones while it is remembered. @param url Of the request, below Graph. */
  once<T>(url: string, find: () => Promise<T>): Promise<T> {
    let found = this.#found.get(url) as Promise<T> | undefined;
    if (!found) {
      found = this.#recall(url, find);
      this.#found.set(url, found);
      found.catch(() => this.#found.delete(url)); // the next operation of the connection may succeed
    }
    return found;
  }

  async #recall<T>(url: string, find: () => Promise<T>): Promise<T> {
    const { memory, explain } = this.context;
    const known = await memory?.get(url) as T | undefined;
    const value = known ?? await find();
    explain?.(`GET ${url}: ${describePlace(value)}${known === undefined ? "" : " (remembered)"}`);
    if (known === undefined) await memory?.set(url, value);
    return value;
  }
}

/** A hint that names what there is, the nearest first. */
export function suggestion(typed: string, names: readonly string[], all: string): string {
  const near = nearest(typed, names);
  return near === undefined ? all : `did you mean ${near}? ${all}`;
}

/** The last segment of an address, decoded. */
export function urlSegment(webUrl: string): string {
  return decodeName(webUrl.split("/").at(-1) ?? "");
}

/** A place in an explanation. */
function describePlace(value: unknown): string {
  if (Array.isArray(value)) return value.map(describePlace).join(", ") || "none";
  const { displayName, name, id } = value as { displayName?: string; name?: string; id?: string };
  return `${displayName || name || "?"} (${id})`;
}

function listOf(drives: DriveInfo[]): string {
  return drives.map(({ name, id }) => `${name} (${id})`).join(", ");
}

/** `b!` and base64url for business, up to 16 hex digits for personal drives (PROTOCOL 2.1). */
function isDriveId(text: string): boolean {
  return /^b![\w-]{20,}$/.test(text) || /^[0-9a-f]{15,16}$/i.test(text);
}

/** The last segment of the URL (`Shared Documents`) often differs from the name (`Documents`; PROTOCOL 2.2c). */
export function isCalled(drive: DriveInfo, name: string): boolean {
  return sameName(drive.name, name) || sameName(urlSegment(drive.webUrl), name);
}

/** Whether Graph rejected the request itself; errors of the sign-in service have the status 400 as well. */
function isRejectedRequest({ kind, status, code }: GraphError): boolean {
  return kind === "failed" && status === 400 && !code.startsWith("AADSTS");
}

/**
 * The error of a tenant without SharePoint and OneDrive, most often because a guest is signed in to the home tenant. Its
 * code is `BadRequest`, that of a foreign host `invalidRequest` (PROTOCOL 2.3).
 */
function noSharePointError(error: unknown): GraphError | undefined {
  if (!isGraphError(error) || !isRejectedRequest(error) || !error.has("BadRequest")) return undefined;
  return error.withMessage(error.message, { kind: "notFound", code: "noSharePoint", hint: undefined });
}

function toDriveInfo(drive: Drive): DriveInfo {
  return {
    id: canonicalDriveId(drive.id ?? ""),
    name: drive.name ?? "",
    driveType: drive.driveType ?? "",
    webUrl: drive.webUrl ?? "",
  };
}

function toSiteInfo(site: Site): SiteInfo {
  return { id: site.id ?? "", name: site.displayName ?? site.name ?? "", webUrl: site.webUrl ?? "" };
}
