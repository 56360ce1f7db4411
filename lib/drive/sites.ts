/**
 * SharePoint sites, by host and path or by search.
 *
 * @module
 */
import type { Site } from "../graph/types.ts";
import type { AuthSession } from "../auth/session.ts";
import { type GraphError, isGraphError, usageError } from "../errors.ts";
import type { GraphClient } from "../graph/client.ts";
import { hasId } from "../graph/response_shape.ts";
import type { Settings } from "../settings.ts";
import { encodePath } from "./address.ts";
import type { SiteName } from "./location.ts";

/** A SharePoint site. */
export interface SiteInfo {
  id: string;
  name: string;
  webUrl: string;
}

/** What finding drives and sites takes. */
export interface DriveContext {
  graph: GraphClient;
  settings: Pick<Settings, "site" | "siteHost" | "drive">;
  /** Gets access to all drives before anything beyond the own OneDrive is requested. */
  session?: Pick<AuthSession, "accountType" | "includeAllDrives">;
}

/** Remembers what was looked up, so that each lookup is made once in a run. */
export class Memo {
  readonly #found = new Map<string, Promise<unknown>>();

  /** The result of `find`, which is called for the first use of a key only. */
  once<T>(key: string, find: () => Promise<T>): Promise<T> {
    let found = this.#found.get(key) as Promise<T> | undefined;
    if (!found) this.#found.set(key, found = find());
    return found;
  }
}

/** Finds sites; each is looked up once. */
export class Sites {
  readonly #context: Pick<DriveContext, "graph" | "session">;
  readonly #memo = new Memo();

  constructor(context: Pick<DriveContext, "graph" | "session">) {
    this.#context = context;
  }

  /**
   * Finds a site by host and path.
   *
   * @throws {GraphError} `notFound`, code `siteNotFound`, `foreignHost` or `noSharePoint`; `usage`, code `noSites`.
   */
  find({ host, path }: SiteName): Promise<SiteInfo> {
    const what = `site ${host}/${path}`;
    return this.#memo.once(what, async () => {
      await this.#prepare(what);
      const url = `/sites/${encodeURIComponent(host)}${path ? `:/${encodePath(path.split("/"))}` : ""}`;
      try {
        return toSiteInfo(await this.#context.graph.requestJson<Site>(url, { what, accepts: isSite }));
      } catch (error) {
        throw explainMissingSite(error, what, { host, path });
      }
    });
  }

  /**
   * Finds sites in the search index, which may lack new ones (PROTOCOL L5).
   *
   * @throws {GraphError} `refused` for accounts that may not open the root site; otherwise as {@linkcode Sites.find}.
   */
  async *search(text: string): AsyncGenerator<SiteInfo> {
    const what = "search for sites";
    await this.#prepare(what);
    try {
      const url = `/sites?search=${encodeURIComponent(text || "*")}`;
      for await (const page of this.#context.graph.pages(url, what, isSite)) yield* page.map(toSiteInfo);
    } catch (error) {
      if (!isGraphError(error) || error.kind !== "notFound") throw noSharePointError(error) ?? error;
      throw error.withMessage(`${what}: not possible for accounts that may not open the tenant's root site`, {
        kind: "refused",
        hint: "address the site by its URL instead: site:HOST/sites/NAME",
      });
    }
  }

  /** @throws {GraphError} `usage` for a personal account, for which no request is sent. */
  async #prepare(what: string): Promise<void> {
    const { session } = this.#context;
    session?.includeAllDrives();
    if (await session?.accountType() !== "personal") return;
    throw usageError(`${what}: a personal Microsoft account has no sites and no teams`, undefined, "noSites");
  }
}

function explainMissingSite(error: unknown, what: string, { host, path }: SiteName): unknown {
  if (!isGraphError(error)) return error;
  if (error.kind === "notFound") {
    return error.withMessage(error.message, { code: "siteNotFound", subject: path });
  }
  if (!isRejectedRequest(error)) return error;
  return noSharePointError(error) ?? error.withMessage(`${what}: ${host} is not a host of this tenant`, {
    kind: "notFound",
    code: "foreignHost",
    hint: "check GRAPH_SITE, GRAPH_SITE_HOST and GRAPH_TENANT_ID",
  });
}

/** Whether Graph rejected the request itself; errors of the sign-in service have the status 400 as well. */
function isRejectedRequest(error: GraphError): boolean {
  return error.kind === "failed" && error.status === 400 && !error.codes.some((code) => /^AADSTS/.test(code));
}

/**
 * The error of a tenant without SharePoint and OneDrive, most often because a guest is signed in to the home tenant. Its
 * code is `BadRequest`, that of a foreign host `invalidRequest` (PROTOCOL 2.3).
 */
export function noSharePointError(error: unknown): GraphError | undefined {
  if (!isGraphError(error) || !isRejectedRequest(error) || !error.has("BadRequest")) return undefined;
  return error.withMessage(error.message, { kind: "notFound", code: "noSharePoint", hint: undefined });
}

const isSite = hasId<Site>("name", "displayName", "webUrl");

function toSiteInfo(site: Site): SiteInfo {
  return { id: site.id ?? "", name: site.displayName ?? site.name ?? "", webUrl: site.webUrl ?? "" };
}
