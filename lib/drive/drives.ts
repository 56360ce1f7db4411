/**
 * Sites and drives: finding the drive in which a location lies.
 *
 * @module
 */
import type { Drive, Site } from "@microsoft/microsoft-graph-types";
import { encodePath, itemUrl } from "./address.ts";
import { hasShape } from "../graph/response_shape.ts";
import { canonicalDriveId } from "./drive_item.ts";
import type { AuthSession } from "../auth/session.ts";
import { commandName } from "../cli/hints.ts";
import { GraphError } from "../errors.ts";
import type { GraphClient } from "../graph/client.ts";
import { type LocationBase, parseSite, type SiteName } from "./location.ts";
import { sameName } from "./names.ts";
import { readServiceError } from "../graph/errors.ts";
import type { Settings } from "../settings.ts";

/** A SharePoint site. */
export interface SiteInfo {
  id: string;
  name: string;
  webUrl: string;
}

/** A drive: a OneDrive, or a document library of a site. */
export interface DriveInfo {
  id: string;
  name: string;
  /** `personal`, `business` or `documentLibrary`. */
  driveType: string;
  webUrl: string;
}

/** Finds sites and drives; remembers what it found for the length of a run. */
export class Drives {
  readonly #graph: GraphClient;
  readonly #settings: Pick<Settings, "site" | "siteHost" | "drive">;
  readonly #session: Pick<AuthSession, "accountType" | "includeAllDrives"> | undefined;
  readonly #known = new Map<string, Promise<unknown>>();

  /** @param session Widened when a drive beyond the own OneDrive is asked for; tells accounts that lack some places. */
  constructor(
    graph: GraphClient,
    settings: Pick<Settings, "site" | "siteHost" | "drive">,
    session?: Pick<AuthSession, "accountType" | "includeAllDrives">,
  ) {
    this.#graph = graph;
    this.#settings = settings;
    this.#session = session;
  }

  /**
   * The drive of a location, and the names below its root.
   *
   * @throws {GraphError} `notFound`; `usage` with the candidates when a name fits twice.
   */
  async locate(
    base: Exclude<LocationBase, { kind: "item" }>,
    path: string[],
  ): Promise<{ drive: DriveInfo; path: string[] }> {
    switch (base.kind) {
      case "me":
        return { drive: await this.own(), path };
      case "drive":
        return { drive: await this.named(base.drive), path };
      case "site":
        return await this.#inSite(base.site, path);
      case "default":
        return { drive: await this.default(), path };
    }
  }

  /** The drive of plain paths. */
  default(): Promise<DriveInfo> {
    if (this.#settings.drive) return this.named(this.#settings.drive);
    const site = this.#defaultSite();
    return site ? this.#siteDrive(site) : this.own();
  }

  /** The person's own OneDrive; the service sets it up at the first call if there is a licence. */
  own(): Promise<DriveInfo> {
    return this.#once("me", async () => {
      if (await this.#session?.accountType() === "app") throw noOwnDrive();
      try {
        return await this.#drive("/me/drive", "your OneDrive");
      } catch (error) {
        // Its wording has changed over the years, so the status decides (PROTOCOL L4).
        if (!(error instanceof GraphError) || (error.kind !== "notFound" && !isRejected(error))) throw error;
        if (error.kind !== "notFound") throw withoutSharePoint(error) ?? error;
        throw error.withMessage("you have no OneDrive in this tenant", {
          hint:
            "it needs a licence, and one visit in the browser; a guest has it in another tenant, see --tenant; for files of a team use --site or GRAPH_SITE",
        });
      }
    });
  }

  /** A library of the current site by its name or URL segment, or any drive by id. */
  async named(drive: string): Promise<DriveInfo> {
    if (isDriveId(drive)) {
      this.#session?.includeAllDrives();
      return await this.#once(
        `drive ${drive}`,
        () => this.#drive(`/drives/${encodeURIComponent(drive)}`, `drive ${drive}`),
      );
    }
    const drives = await this.all();
    const fits = drives.filter((candidate) => isCalled(candidate, drive));
    if (fits.length === 1) return fits[0]!;
    const list = (fits.length > 1 ? fits : drives).map(({ name, id }) => `${name} (${id})`).join(", ");
    if (fits.length > 1) {
      throw new GraphError("usage", `several drives are called ${drive}: ${list}`, {
        code: "ambiguousDrive",
        hint: "use the id: drive:ID/PATH",
      });
    }
    throw new GraphError("notFound", `no drive here is called ${drive}`, {
      code: "driveNotFound",
      hint: `there are: ${list}`,
    });
  }

  /** The drives of the default site, or the person's own. */
  async all(): Promise<DriveInfo[]> {
    const site = this.#defaultSite();
    if (site) return await this.#siteDrives(site);
    const own = await this.own();
    const listed = await this.#list("/me/drives", "your drives");
    // The listing can miss the OneDrive itself (PROTOCOL L1).
    return [own, ...listed.filter(({ id }) => id !== own.id)];
  }

  /** Sites that the search index finds; new ones may be missing. */
  async *search(text: string): AsyncGenerator<SiteInfo> {
    const what = `search for sites`;
    await this.#checkSites(what);
    try {
      for await (
        const page of this.#graph.pages(`/sites?search=${encodeURIComponent(text || "*")}`, what, isSite)
      ) {
        for (const site of page) yield siteFacts(site);
      }
    } catch (error) {
      if (!(error instanceof GraphError) || error.kind !== "notFound") {
        throw withoutSharePoint(error) ?? error;
      }
      throw error.withMessage(`${what}: not possible for accounts that may not open the tenant's root site`, {
        kind: "refused",
        hint: "address the site by its URL instead: site:HOST/sites/NAME",
      });
    }
  }

  /** A site by host and path. */
  site(name: SiteName): Promise<SiteInfo> {
    const { host, path } = name;
    return this.#once(`site ${host}/${path}`, async () => {
      await this.#checkSites(`site ${host}/${path}`);
      const url = `/sites/${encodeURIComponent(host)}${path ? `:/${encodePath(path.split("/"))}` : ""}`;
      try {
        return siteFacts(
          await this.#graph.requestJson<Site>(url, { what: `site ${host}/${path}`, accepts: isSite }),
        );
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        if (error.kind === "notFound") {
          throw error.withMessage(error.message, {
            hint: `look for its name with: ${commandName("ls")} --sites ${path.split("/").at(-1)}`,
          });
        }
        if (!isRejected(error)) throw error;
        const elsewhere = withoutSharePoint(error);
        if (elsewhere) throw elsewhere;
        throw error.withMessage(`site ${host}/${path}: ${host} is not a host of this tenant`, {
          kind: "notFound",
          hint: "check GRAPH_SITE, GRAPH_SITE_HOST and GRAPH_TENANT_ID",
        });
      }
    });
  }

  /** @throws {GraphError} `usage` for a personal account: there are no sites for it, so nothing is asked. */
  async #checkSites(what: string): Promise<void> {
    this.#session?.includeAllDrives();
    if (await this.#session?.accountType() !== "personal") return;
    throw new GraphError("usage", `${what}: a personal Microsoft account has no sites and no teams`, {
      code: "noSites",
      hint: "leave out --site and GRAPH_SITE for its own OneDrive, or choose a work account with --account",
    });
  }

  #defaultSite(): SiteName | undefined {
    const { site, siteHost } = this.#settings;
    return site === undefined ? undefined : parseSite(site, siteHost);
  }

  #siteDrive(site: SiteName): Promise<DriveInfo> {
    return this.#once(`site drive ${site.host}/${site.path}`, async () => {
      const { id, name } = await this.site(site);
      return await this.#drive(`/sites/${id}/drive`, `default library of site ${name}`);
    });
  }

  #siteDrives(site: SiteName): Promise<DriveInfo[]> {
    return this.#once(`site drives ${site.host}/${site.path}`, async () => {
      const { id, name } = await this.site(site);
      return await this.#list(`/sites/${id}/drives`, `libraries of site ${name}`);
    });
  }

  /** A path whose first name is a library of the site lies in that library, any other in the default one. */
  async #inSite(site: SiteName, path: string[]): Promise<{ drive: DriveInfo; path: string[] }> {
    const main = await this.#siteDrive(site);
    const [first, ...rest] = path;
    if (first === undefined) return { drive: main, path };
    const libraries = (await this.#siteDrives(site)).filter((drive) => isCalled(drive, first));
    if (libraries.length === 0) return { drive: main, path };
    const folder = await this.#exists(main, first);
    if (libraries.length === 1 && !folder) return { drive: libraries[0]!, path: rest };
    const candidates = [
      ...libraries.map(({ id }) => `drive:${id}/${rest.join("/")}`),
      ...(folder ? [`drive:${main.id}/${path.join("/")}`] : []),
    ];
    throw new GraphError(
      "usage",
      `${first} is both a library of the site and a folder of its default library, or two libraries: ${
        candidates.join(" or ")
      }`,
      {
        code: "ambiguousLocation",
        hint: "use one of these",
      },
    );
  }

  async #exists(drive: DriveInfo, name: string): Promise<boolean> {
    const answer = await this.#graph.request(`${itemUrl({ driveId: drive.id, path: [name] })}?$select=id`, {
      what: name,
    });
    if (answer.status !== 200 && answer.status !== 404) throw await readServiceError(answer, name);
    await answer.discard();
    return answer.status === 200;
  }

  async #drive(url: string, what: string): Promise<DriveInfo> {
    return driveFacts(await this.#graph.requestJson<Drive>(url, { what, accepts: isDrive }));
  }

  async #list(url: string, what: string): Promise<DriveInfo[]> {
    const pages = await Array.fromAsync(this.#graph.pages(url, what, isDrive));
    return pages.flat().map(driveFacts);
  }

  #once<T>(key: string, find: () => Promise<T>): Promise<T> {
    let found = this.#known.get(key) as Promise<T> | undefined;
    if (!found) this.#known.set(key, found = find());
    return found;
  }
}

/** Whether Graph found fault with the request itself; errors of the sign-in service come under HTTP 400 as well. */
function isRejected(error: GraphError): boolean {
  return error.kind === "failed" && error.status === 400 && !error.codes.some((code) => /^AADSTS/.test(code));
}

/**
 * Graph's answer when the tenant has no SharePoint and no OneDrive, most often because a guest is signed in to the tenant
 * at home; it has the code `BadRequest`, a wrong host has `invalidRequest` (PROTOCOL 2.3).
 */
function withoutSharePoint(error: unknown): GraphError | undefined {
  if (!(error instanceof GraphError) || !isRejected(error) || !error.has("BadRequest")) return undefined;
  return error.withMessage(error.message, {
    kind: "notFound",
    hint:
      "the tenant that you are signed in to has no SharePoint or OneDrive for you; as a guest of another one, choose it with --tenant or GRAPH_TENANT_ID",
  });
}

function noOwnDrive(): GraphError {
  return new GraphError("usage", "an app by itself has no OneDrive of its own", {
    code: "noOwnDrive",
    hint: "address a library: site:HOST/sites/NAME/PATH or drive:ID/PATH, or set GRAPH_SITE",
  });
}

/** `b!` and base64url for business, up to 16 hex digits for personal drives. */
function isDriveId(text: string): boolean {
  return /^b![\w-]{20,}$/.test(text) || /^[0-9a-f]{15,16}$/i.test(text);
}

function isCalled(drive: DriveInfo, name: string): boolean {
  // The URL segment (`Shared Documents`) often differs from the display name (`Documents`).
  const segment = drive.webUrl.split("/").at(-1) ?? "";
  return sameName(drive.name, name) || sameName(decoded(segment), name);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // not encoded at all
  }
}

function isDrive(value: unknown): value is Drive {
  return hasShape(value, { id: "string", name: "string", driveType: "string", webUrl: "string" }) &&
    Boolean((value as Drive).id);
}

function isSite(value: unknown): value is Site {
  return hasShape(value, { id: "string", name: "string", displayName: "string", webUrl: "string" }) &&
    Boolean((value as Site).id);
}

function driveFacts(drive: Drive): DriveInfo {
  return {
    id: canonicalDriveId(drive.id ?? ""),
    name: drive.name ?? "",
    driveType: drive.driveType ?? "",
    webUrl: drive.webUrl ?? "",
  };
}

function siteFacts(site: Site): SiteInfo {
  return { id: site.id ?? "", name: site.displayName ?? site.name ?? "", webUrl: site.webUrl ?? "" };
}
