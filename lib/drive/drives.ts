/**
 * Drives: the user's own OneDrive, libraries of sites, and the drive of a location.
 *
 * @module
 */
import type { Drive } from "../graph/types.ts";
import { GraphError, isGraphError, usageError } from "../errors.ts";
import { readServiceError } from "../graph/errors.ts";
import { hasId } from "../graph/response_shape.ts";
import { itemUrl } from "./address.ts";
import { canonicalDriveId } from "./drive_item.ts";
import { type LocationBase, parseSite, type SiteName } from "./location.ts";
import { sameName } from "./names.ts";
import { type DriveContext, Memo, noSharePointError, Sites } from "./sites.ts";

/** A drive: a OneDrive, or a document library of a site. */
export interface DriveInfo {
  id: string;
  name: string;
  /** `personal`, `business` or `documentLibrary`. */
  driveType: string;
  webUrl: string;
}

/** A drive, and names below its root. */
export interface DrivePath {
  drive: DriveInfo;
  path: string[];
}

/** Finds drives; each is looked up once. */
export class Drives {
  readonly sites: Sites;
  readonly #context: DriveContext;
  readonly #memo = new Memo();

  constructor(context: DriveContext) {
    this.sites = new Sites(context);
    this.#context = context;
  }

  /**
   * Finds the drive of a location, and the path below its root.
   *
   * @throws {GraphError} `notFound`; `usage` with the candidates if a name is ambiguous.
   */
  async locate(base: Exclude<LocationBase, { kind: "item" }>, path: string[]): Promise<DrivePath> {
    switch (base.kind) {
      case "me":
        return { drive: await this.own(), path };
      case "drive":
        return { drive: await this.named(base.drive), path };
      case "site":
        return await this.#locateInSite(base.site, path);
      case "default":
        return { drive: await this.default(), path };
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
      this.#context.session?.includeAllDrives();
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
    const { id, name } = await this.sites.find(site);
    return await this.#get(`/sites/${id}/drive`, `default library of site ${name}`);
  }

  async #allOfSite(site: SiteName): Promise<DriveInfo[]> {
    const { id, name } = await this.sites.find(site);
    return await this.#list(`/sites/${id}/drives`, `libraries of site ${name}`);
  }

  /** The first name of a path may be a library of the site; otherwise the path is in the default library. */
  async #locateInSite(site: SiteName, path: string[]): Promise<DrivePath> {
    const main = await this.#ofSite(site);
    const [first, ...rest] = path;
    if (first === undefined) return { drive: main, path };
    const libraries = (await this.#allOfSite(site)).filter((drive) => isCalled(drive, first));
    if (libraries.length === 0) return { drive: main, path };
    const isFolder = await this.#exists(main, first);
    if (libraries.length === 1 && !isFolder) return { drive: libraries[0]!, path: rest };
    const candidates = [
      ...libraries.map(({ id }) => `drive:${id}/${rest.join("/")}`),
      ...(isFolder ? [`drive:${main.id}/${path.join("/")}`] : []),
    ];
    const problem = `${first} names more than one library or folder of the site: ${candidates.join(" or ")}`;
    throw usageError(problem, "use one of these", "ambiguousLocation");
  }

  async #exists(drive: DriveInfo, name: string): Promise<boolean> {
    const url = `${itemUrl({ driveId: drive.id, path: [name] })}?$select=id`;
    const response = await this.#context.graph.request(url, { what: name });
    if (response.status !== 200 && response.status !== 404) throw await readServiceError(response, name);
    await response.discard();
    return response.status === 200;
  }

  #get(url: string, what: string): Promise<DriveInfo> {
    const { graph } = this.#context;
    const request = { what, accepts: isDrive };
    return this.#memo.once(url, async () => toDriveInfo(await graph.requestJson<Drive>(url, request)));
  }

  #list(url: string, what: string): Promise<DriveInfo[]> {
    return this.#memo.once(url, async () => {
      const pages = await Array.fromAsync(this.#context.graph.pages(url, what, isDrive));
      return pages.flat().map(toDriveInfo);
    });
  }
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
  const segment = drive.webUrl.split("/").at(-1) ?? "";
  return sameName(drive.name, name) || sameName(decodeSegment(segment), name);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a percent sign that is not an escape
  }
}

const isDrive = hasId<Drive>("name", "driveType", "webUrl");

function toDriveInfo(drive: Drive): DriveInfo {
  return {
    id: canonicalDriveId(drive.id ?? ""),
    name: drive.name ?? "",
    driveType: drive.driveType ?? "",
    webUrl: drive.webUrl ?? "",
  };
}
