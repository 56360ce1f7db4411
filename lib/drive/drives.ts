/**
 * Drives and sites: the user's own OneDrive, SharePoint sites and their libraries, and the drive of a location.
 *
 * @module
 */
import type { Channel, Drive, Site, Team } from "../graph/types.ts";
import type { AuthSession } from "../auth/session.ts";
import { GraphError, ifFound, isGraphError, usageError } from "../errors.ts";
import type { GraphClient } from "../graph/client.ts";
import { hasId } from "../json.ts";
import type { Settings } from "../settings.ts";
import { decodeName, encodePath, type ItemAddress, itemUrl } from "./address.ts";
import { canonicalDriveId, type DriveItem, drivePath, isDriveItem } from "./drive_item.ts";
import { type Location, type NameOrId, parseSite, type SiteName } from "./location.ts";
import { checkAddress, sameName } from "./names.ts";
import type { PlaceMemory } from "./place_memory.ts";

/** A drive: a OneDrive, or a document library of a site. */
export interface DriveInfo {
  id: string;
  name: string;
  /** `personal`, `business` or `documentLibrary`. */
  driveType: string;
  webUrl: string;
}

/** A SharePoint site. */
interface SiteInfo {
  id: string;
  name: string;
  webUrl: string;
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
  readonly #context: DriveContext;
  readonly #found = new Map<string, Promise<unknown>>();

  constructor(context: DriveContext) {
    this.#context = context;
  }

  /**
   * Finds the drive of a location, and the address of the item in it; the item need not exist.
   *
   * @throws {GraphError} `notFound`; `usage` with the candidates if a name is ambiguous.
   */
  async locate({ base, path, pattern }: Location): Promise<Located> {
    checkAddress(pattern ?? []); // wildcards only find what is there
    switch (base.kind) {
      case "me":
        return addressIn(await this.own(), path);
      case "drive":
        return addressIn(await this.named(base.drive), path);
      case "site":
        return await this.#locateInSite(base.site, path);
      case "team":
        return await this.#locateInTeam(base.team, base.channel, path);
      case "web":
        return await this.#locateInWeb(base.host, path);
      case "share":
        return await this.#locateShare(base.url);
      case "default":
        return addressIn(await this.default(), path);
      case "item": {
        const { id, driveType } = base.driveId ? await this.named(base.driveId) : await this.default();
        return { address: { driveId: id, itemId: base.itemId }, driveType };
      }
    }
  }

  /** The drive of paths without a prefix: from the settings, else the own OneDrive. */
  default(): Promise<DriveInfo> {
    const { drive } = this.#context.settings;
    if (drive) return this.named(drive);
    const site = this.#defaultSite();
    return site ? this.#ofSite(site) : this.own();
  }

  /**
   * The user's own OneDrive; the first request of all sets it up where there is a license (PROTOCOL 2.2b).
   *
   * @throws {GraphError} `notFound`, code `noOneDrive` or `noSharePoint`; `usage`, code `noOwnDrive`, for app-only sessions.
   */
  async own(): Promise<DriveInfo> {
    if (await this.#context.session?.accountType() === "app") {
      const hint = "address a library: site:HOST/sites/NAME/PATH or drive:ID/PATH, or set GRAPH_SITE";
      throw usageError("app-only sign-in has no OneDrive", hint, "noOwnDrive");
    }
    try {
      return await this.#get("/me/drive", "your OneDrive");
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
    if (isDriveId(drive)) {
      this.#context.session?.include("allDrives");
      return await this.#get(`/drives/${encodeURIComponent(drive)}`, `drive ${drive}`);
    }
    const drives = await this.all();
    const matches = drives.filter((candidate) => isCalled(candidate, drive));
    if (matches.length === 1) return matches[0]!;
    if (matches.length === 0) {
      throw new GraphError("notFound", `no drive here is called ${drive}`, {
        code: "driveNotFound",
        hint: `there are: ${listOf(drives)}`,
      });
    }
    const problem = `several drives are called ${drive}: ${listOf(matches)}`;
    throw usageError(problem, "use the id: drive:ID/PATH", "ambiguousDrive");
  }

  /** The libraries of the default site, or else the user's own drives. */
  async all(): Promise<DriveInfo[]> {
    const site = this.#defaultSite();
    if (site) return await this.#allOfSite(site);
    const own = await this.own();
    const listed = await this.#list("/me/drives", "your drives");
    // The listing can lack the OneDrive itself (PROTOCOL L1).
    return [own, ...listed.filter(({ id }) => id !== own.id)];
  }

  #defaultSite(): SiteName | undefined {
    const { site, siteHost } = this.#context.settings;
    return site === undefined ? undefined : parseSite(site, siteHost);
  }

  async #ofSite(site: SiteName): Promise<DriveInfo> {
    const { id, name } = await this.findSite(site);
    return await this.#get(`/sites/${id}/drive`, `default library of site ${name}`);
  }

  async #allOfSite(site: SiteName): Promise<DriveInfo[]> {
    const { id, name } = await this.findSite(site);
    return await this.#list(`/sites/${id}/drives`, `libraries of site ${name}`);
  }

  /** @throws {GraphError} `notFound`, code `siteNotFound`, `foreignHost` or `noSharePoint`; `usage`, code `noSites`. */
  async findSite({ host, path }: SiteName): Promise<SiteInfo> {
    const what = `site ${host}/${path}`;
    await this.#prepareForSites(what);
    return await this.#once(what, async () => {
      const url = `/sites/${encodeURIComponent(host)}${path ? `:/${encodePath(path.split("/"))}` : ""}`;
      try {
        return toSiteInfo(await this.#context.graph.requestJson<Site>(url, { what, accepts: hasId }));
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
    await this.#prepareForSites(what);
    try {
      const url = `/sites?search=${encodeURIComponent(text || "*")}`;
      for await (const page of this.#context.graph.pages<Site>(url, what, hasId)) {
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

  /** @throws {GraphError} `usage` for a personal account, for which no request is sent. */
  async #prepareForSites(what: string): Promise<void> {
    const { session } = this.#context;
    session?.include("allDrives");
    if (await session?.accountType() !== "personal") return;
    throw usageError(`${what}: a personal Microsoft account has no sites and no teams`, undefined, "noSites");
  }

  /** The first name of a path may be a library of the site; otherwise the path is in the default library. */
  async #locateInSite(site: SiteName, path: string[]) {
    const main = await this.#ofSite(site);
    const [first, ...rest] = path;
    if (first === undefined) return addressIn(main, path);
    const libraries = (await this.#allOfSite(site)).filter((drive) => isCalled(drive, first));
    if (libraries.length === 0) return addressIn(main, path);
    const isFolder = await this.#exists(main, first);
    if (libraries.length === 1 && !isFolder) return addressIn(libraries[0]!, rest);
    const candidates = [
      ...libraries.map(({ id }) => `drive:${id}/${rest.join("/")}`),
      ...(isFolder ? [`drive:${main.id}/${path.join("/")}`] : []),
    ];
    const problem = `${first} names more than one library or folder of the site: ${candidates.join(" or ")}`;
    throw usageError(problem, "use one of these", "ambiguousLocation");
  }

  /** A path as a browser shows it: site, perhaps sites below it, library, and the path in it. */
  async #locateInWeb(host: string, path: string[]): Promise<Located> {
    const own = isPersonalSite(path) ? await this.#ownDriveAt(host, path) : undefined;
    if (own) return own;
    for (let depth = siteDepth(path);; depth++) {
      const site: SiteName = { host, path: path.slice(0, depth).join("/") };
      if (path.length === depth) return addressIn(await this.#ofSite(site), []);
      const libraries = await this.#allOfSite(site);
      const segment = path[depth]!;
      const library = libraries.find(({ webUrl }) => sameName(urlSegment(webUrl), segment));
      if (library) return addressIn(library, path.slice(depth + 1));
      if (depth === siteDepth(path) + MAX_SUBSITES) throw noLibrary(site, segment, libraries);
      try {
        await this.findSite({ host, path: path.slice(0, depth + 1).join("/") });
      } catch (error) {
        if (!isGraphError(error) || error.code !== "siteNotFound") throw error;
        throw noLibrary(site, segment, libraries);
      }
    }
  }

  /** The user's own OneDrive takes the fewest permissions; that of another user is a site. */
  async #ownDriveAt(host: string, path: string[]): Promise<Located | undefined> {
    const own = await this.own();
    const url = URL.parse(own.webUrl);
    const root = (url?.pathname ?? "").split("/").filter(Boolean).map(decodeName);
    if (url?.host.toLowerCase() !== host) return undefined;
    if (!root.slice(0, 2).every((name, index) => sameName(name, path[index] ?? ""))) return undefined;
    const isInLibrary = path.length === 2 || sameName(path[2]!, root[2] ?? "");
    return isInLibrary ? addressIn(own, path.slice(root.length)) : undefined;
  }

  /** An item that another user has shared, or that a page names by a parameter (https://learn.microsoft.com/graph/api/shares-get). */
  async #locateShare(url: string): Promise<Located> {
    const { graph, session } = this.#context;
    session?.include("allDrives");
    const token = `u!${new TextEncoder().encode(url).toBase64({ alphabet: "base64url", omitPadding: true })}`;
    const request = () =>
      graph.requestJson<DriveItem>(`/shares/${token}/driveItem?$select=id,name,size,root,parentReference`, {
        what: "the item of this link",
        accepts: isInDrive,
      });
    const { id, parentReference } = await this.#once(token, async () => {
      try {
        return await request();
      } catch (error) {
        // Permission to read may suffice, but the service does not promise it.
        if (!isGraphError(error) || error.status !== 403 || !session) throw error;
        session.include("links");
        return await request();
      }
    });
    const { driveId, driveType } = parentReference!;
    return { address: { driveId: canonicalDriveId(driveId!), itemId: id! }, driveType: driveType ?? "" };
  }

  /** The files of a channel are in a folder of the team's library, or in a library of their own. */
  async #locateInTeam(team: NameOrId, channel: NameOrId | undefined, path: string[]): Promise<Located> {
    const { session } = this.#context;
    await this.#prepareForSites("team");
    if ("name" in team || (channel && "name" in channel)) session?.include("teams");
    const found = await this.#choose<Team>("team", "/me/joinedTeams", team);
    if (!channel) {
      const drive = await this.#get(
        `/groups/${encodeURIComponent(found.id)}/drive`,
        `library of team ${found.displayName}`,
      );
      return addressIn(drive, path);
    }
    const channels = `/teams/${encodeURIComponent(found.id)}/channels`;
    const { id, displayName } = await this.#choose<Channel>("channel", channels, channel);
    const what = `files of channel ${displayName}`;
    const url = `${channels}/${encodeURIComponent(id)}/filesFolder`;
    const folder = await this.#once(url, async () => {
      try {
        return await this.#context.graph.requestJson<DriveItem>(url, { what, accepts: isInDrive });
      } catch (error) {
        // The service makes the folder when a user opens the tab (PROTOCOL L6).
        if (!isGraphError(error) || error.kind !== "notFound") throw error;
        throw error.withMessage(`${what}: their folder is not ready`, {
          code: "channelNotReady",
          hint: "open its Files tab in Teams once",
        });
      }
    });
    const { driveId, driveType } = folder.parentReference!;
    const names = drivePath(folder).split("/").filter(Boolean);
    return {
      address: { driveId: canonicalDriveId(driveId!), path: [...names, ...path] },
      driveType: driveType ?? "documentLibrary",
    };
  }

  /** @throws {GraphError} `notFound`, or `usage`, with the candidates. */
  async #choose<T extends { id?: string; displayName?: string | null }>(
    kind: string,
    url: string,
    wanted: NameOrId,
  ): Promise<{ id: string; displayName: string }> {
    if ("id" in wanted) return { id: wanted.id, displayName: wanted.id };
    const all = await this.#once(url, async () => {
      const pages = await Array.fromAsync(this.#context.graph.pages<T>(url, `${kind}s`, hasId));
      return pages.flat().map(({ id, displayName }) => ({ id: id ?? "", displayName: displayName ?? "" }));
    });
    const matches = all.filter(({ displayName }) => sameName(displayName, wanted.name));
    if (matches.length === 1) return matches[0]!;
    const candidates = (matches.length ? matches : all).map(({ displayName, id }) =>
      `${displayName} (${id})`
    );
    const hint = `there are: ${candidates.join(", ") || "none"}`;
    if (matches.length === 0) {
      throw new GraphError("notFound", `you are in no ${kind} called ${wanted.name}`, {
        code: `${kind}NotFound`,
        hint,
      });
    }
    throw usageError(`several ${kind}s are called ${wanted.name}`, hint, `ambiguousLocation`);
  }

  async #exists(drive: DriveInfo, name: string): Promise<boolean> {
    const url = `${itemUrl({ driveId: drive.id, path: [name] })}?$select=id`;
    return await ifFound(this.#context.graph.requestJson(url, { what: name })) !== undefined;
  }

  #get(url: string, what: string): Promise<DriveInfo> {
    const request = { what, accepts: hasId };
    return this.#once(
      url,
      async () => toDriveInfo(await this.#context.graph.requestJson<Drive>(url, request)),
    );
  }

  #list(url: string, what: string): Promise<DriveInfo[]> {
    return this.#once(url, async () => {
      const pages = await Array.fromAsync(this.#context.graph.pages<Drive>(url, what, hasId));
      return pages.flat().map(toDriveInfo);
    });
  }

  /**
   * Forgets what earlier runs have found and this one has used.
   *
   * @returns Whether there was anything, so that a failed lookup may succeed now.
   */
  async forget(): Promise<boolean> {
    const wasUsed = await this.#context.memory?.forget() ?? false;
    if (wasUsed) this.#found.clear();
    return wasUsed;
  }

  #once<T>(key: string, find: () => Promise<T>): Promise<T> {
    let found = this.#found.get(key) as Promise<T> | undefined;
    if (!found) {
      found = this.#recall(key, find);
      this.#found.set(key, found);
      found.catch(() => this.#found.delete(key)); // the next operation of the connection may succeed
    }
    return found;
  }

  async #recall<T>(key: string, find: () => Promise<T>): Promise<T> {
    const { memory, explain } = this.#context;
    const known = await memory?.get(key) as T | undefined;
    const value = known ?? await find();
    explain?.(`${key}: ${describePlace(value)}${known === undefined ? "" : " (remembered)"}`);
    if (known === undefined) await memory?.set(key, value);
    return value;
  }
}

/** Where an item is, or could be. */
interface Located {
  address: ItemAddress;
  driveType: string;
}

/** Sites below a site collection; deeper ones are rare, and each costs two requests. */
const MAX_SUBSITES = 4;

/** Names of the path that are a site collection: `sites/NAME`; none for the root site. */
function siteDepth(path: readonly string[]): number {
  return path.length >= 2 && /^(sites|teams|personal)$/i.test(path[0]!) ? 2 : 0;
}

function isPersonalSite(path: readonly string[]): boolean {
  return path.length >= 2 && /^personal$/i.test(path[0]!);
}

function noLibrary({ host, path }: SiteName, segment: string, libraries: DriveInfo[]): GraphError {
  return new GraphError("notFound", `${host}/${path} has no library or subsite called ${segment}`, {
    code: "libraryNotFound",
    hint: `it has the libraries: ${libraries.map(({ webUrl }) => urlSegment(webUrl)).join(", ")}`,
  });
}

function urlSegment(webUrl: string): string {
  return decodeName(webUrl.split("/").at(-1) ?? "");
}

/** A place in an explanation. */
function describePlace(value: unknown): string {
  if (Array.isArray(value)) return value.map(describePlace).join(", ") || "none";
  const { displayName, name, id } = value as { displayName?: string; name?: string; id?: string };
  return `${displayName || name || "?"} (${id})`;
}

function isInDrive(value: unknown): value is DriveItem {
  return isDriveItem(value) && Boolean(value.parentReference?.driveId);
}

function addressIn({ id, driveType }: DriveInfo, path: string[]) {
  return { address: { driveId: id, path }, driveType };
}

function listOf(drives: DriveInfo[]): string {
  return drives.map(({ name, id }) => `${name} (${id})`).join(", ");
}

/** `b!` and base64url for business, up to 16 hex digits for personal drives (PROTOCOL 2.1). */
function isDriveId(text: string): boolean {
  return /^b![\w-]{20,}$/.test(text) || /^[0-9a-f]{15,16}$/i.test(text);
}

/** The last segment of the URL (`Shared Documents`) often differs from the name (`Documents`; PROTOCOL 2.2c). */
function isCalled(drive: DriveInfo, name: string): boolean {
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
