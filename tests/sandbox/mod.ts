/**
 * A loopback Microsoft 365: Entra ID, Microsoft Graph and the storage behind it, with real state and scripted
 * faults. Written from PROTOCOL 1 to 17, independently of the client that it serves.
 *
 * @example
 * ```ts ignore
 * await using sandbox = await startSandbox({ approve: true });
 * const token = sandbox.issueToken();
 * await fetch(`${sandbox.apiOrigin}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } });
 * ```
 */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exchange, type FaultEffects, type Handler } from "./request_handler.ts";
import { type Entrance, openEntrance } from "./entrance.ts";
import { type FaultRule, Faults } from "./faults.ts";
import { graphService } from "./graph/mod.ts";
import type { Respond } from "./http/listener.ts";
import { type FaultName, knownFault, optionsOf } from "./known_faults.ts";
import type { ChallengedRefresh } from "./login/claims.ts";
import { serverTime } from "./login/clock.ts";
import { loginService } from "./login/mod.ts";
import type { Revocation } from "./login/tokens.ts";
import { applySideEffect } from "./side_effects.ts";
import { hostsLines } from "./host_names.ts";
import type { Service, ServiceResponse } from "./messages.ts";
import type { SandboxOptions } from "./options.ts";
import { isOverviewRequest, type Overview, overviewPage } from "./page/mod.ts";
import { RequestLog } from "./request_log.ts";
import type { Sandbox, TokenOptions } from "./sandbox.ts";
import { newState, type State } from "./state.ts";
import { StateFolder } from "./saved/state_folder.ts";
import { storageService } from "./storage/mod.ts";
import type { UploadSessions } from "./storage/upload_sessions.ts";
import { checkTenant } from "./tenant/tenant_data.ts";
import { CLIENT_ID, TENANT_ID } from "./tenant/build_tenant.ts";
import { CONTOSO } from "./tenant/contoso.ts";
import { isPersonal, siteUrl, userNamed } from "./tenant/directory.ts";

export type { FaultRule, SideEffect } from "./faults.ts";
export type { TlsFiles } from "./http/listener.ts";
export type { LineShape } from "./http/shaped_line.ts";
export { type FaultName, KNOWN_FAULTS, type KnownFault, knownFault } from "./known_faults.ts";
export type { SignInAudience } from "./login/authorities.ts";
export type { Certificate } from "./login/certificate.ts";
export type { ChallengedRefresh } from "./login/claims.ts";
export type { Revocation } from "./login/tokens.ts";
export type {
  BodySource,
  FileSpan,
  RequestBody,
  Service,
  ServiceRequest,
  ServiceResponse,
} from "./messages.ts";
export type { SandboxOptions, TlsOptions } from "./options.ts";
export type { RequestRecord } from "./request_handler.ts";
export type * from "./sandbox.ts";
export type { SessionInfo } from "./storage/upload_sessions.ts";
export type { UserKey } from "./tenant/directory.ts";
export { TenantDataError } from "./tenant/tenant_data.ts";
export type {
  FileData,
  FilesData,
  PersonData,
  SiteData,
  TeamData,
  TenantData,
} from "./tenant/tenant_data.ts";
export type { ItemKind } from "./tenant/item.ts";
export type { Behavior, ItemInfo } from "./tenant/tenant.ts";

/** Starts a sandbox on 127.0.0.1. @throws {TenantDataError} for a tenant that does not fit together */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  options = { ...optionsOf(options.fault ?? []), ...options };
  if (options.tenant) checkTenant(options.tenant);
  const folder = await mkdtemp(join(tmpdir(), "graph-sandbox-"));
  const home = options.home ?? join(folder, "home");
  const temporary = options.state === undefined ? [folder, home] : [folder];
  const closing = new AbortController();
  const faults = new Faults(options.faults ?? []);
  let log: RequestLog | undefined;
  let entrance: Entrance | undefined;
  try {
    const kept = options.state === undefined
      ? undefined
      : new StateFolder(options.state, options.tenant ?? CONTOSO);
    const content = kept?.content ?? join(folder, "content");
    for (const path of [home, content]) await mkdir(path, { mode: 0o700, recursive: true });
    const requests = log = new RequestLog(options.logFile);
    // The ports come first, since the state needs their origins; no request can arrive before this turn ends.
    const services: Partial<Record<Service, Handler>> = {};
    const effects: FaultEffects = {
      pause: (ms) => pause(ms, closing.signal),
      applySideEffect: (effect, request) => applySideEffect(state, effect, request),
    };
    const respond: Respond = (request) =>
      isOverviewRequest(request)
        ? Promise.resolve({ response: overviewPage(overview), truncateTo: undefined })
        : requests.record(
          request,
          (record) => exchange(request, record, services[request.service]!, faults, effects),
        );
    const opened = entrance = openEntrance(options, respond);
    const { origins, ports } = opened;
    const state = newState(options, origins, content, kept);
    Object.assign(services, servicesOf(state, kept));
    const behaviors: FaultName[] = [];
    const overview = { state, log: requests, faults, behaviors };
    const sandbox = sandboxOf(overview, home);
    for (const name of options.fault ?? []) addKnownFault(overview, name);
    let closed: Promise<void> | undefined;
    const close = () =>
      closed ??= closeAll(opened, state.sessions, requests, temporary, closing).then(() => kept?.save());
    return { ...sandbox, ports, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await entrance?.close();
    log?.close();
    for (const path of temporary) await rm(path, { recursive: true, force: true });
    throw error;
  }
}

function servicesOf(state: State, kept: StateFolder | undefined): Record<Service, Handler> {
  const withDate = (response: ServiceResponse) => {
    response.headers["date"] = new Date(serverTime(state.settings)).toUTCString();
    return response;
  };
  const afterPendingChanges = (service: typeof graphService): Handler => async (request) => {
    await state.tenant.applyPendingChanges();
    return withDate(await service(state, request));
  };
  const saving = (handler: Handler): Handler => async (request) => {
    const response = await handler(request);
    if (request.method !== "GET" && request.method !== "HEAD") kept?.changed();
    return response;
  };
  return {
    login: saving(async (request) => withDate(await loginService(state, request))),
    graph: saving(afterPendingChanges(graphService)),
    storage: saving(afterPendingChanges(storageService)),
  };
}

/** The parts of a sandbox that do not concern its listeners. */
function sandboxOf(running: Overview, home: string) {
  const { state, faults, log } = running;
  const { origins, tenant, tokens, user, app } = state;
  return {
    loginOrigin: origins.login,
    apiOrigin: origins.graph,
    storageOrigin: origins.storage(tenant.directory),
    hostsLines: hostsLines(tenant.drives),
    env: environment(state, home),
    requests: log.requests,
    faults: faults.rules,
    addFault: (...added: (FaultRule | FaultName)[]) => {
      for (const fault of added) addFault(running, fault);
    },
    clearFaults: () => void faults.rules.splice(0),
    user,
    tenant,
    app,
    issueToken: (options?: TokenOptions) => issueToken(state, options),
    expireAccessTokens: () => tokens.expireAccess(),
    revokeRefreshTokens: (why: Revocation = 50173) => tokens.revokeRefresh(why),
    challenge: (refresh: ChallengedRefresh = "tokens", clients: "capable" | "all" = "capable") =>
      state.challenges.issue(refresh, clients),
  };
}

function addKnownFault({ state, faults, behaviors }: Overview, name: FaultName): void {
  const { rules = () => [], behavior, options } = knownFault(name);
  faults.rules.push(...rules().map((rule) => ({ name, ...rule })));
  if (behavior || options) behaviors.push(name);
  Object.assign(state.tenant.behavior, behavior);
}

function addFault(running: Overview, fault: FaultRule | FaultName): void {
  if (typeof fault !== "string") return void running.faults.rules.push(fault);
  if (knownFault(fault).options) {
    throw new Error(`${fault} is an option: startSandbox({ fault: ["${fault}"] })`);
  }
  addKnownFault(running, fault);
}

function environment({ origins, tenant, firstUser }: State, home: string): Record<string, string> {
  const { directory } = tenant;
  const site = isPersonal(firstUser)
    ? undefined
    : directory.sites.find(({ path, personal }) => path !== "" && !personal);
  const storage = tenant.drives.map((drive) => new URL(origins.storage(drive.info.site)).host);
  return {
    GRAPH_LOGIN_ORIGIN: origins.login,
    GRAPH_API_ORIGIN: origins.graph,
    GRAPH_STORAGE_HOSTS: [...new Set(storage)].join(","),
    GRAPH_CLIENT_ID: CLIENT_ID,
    GRAPH_TENANT_ID: isPersonal(firstUser) ? "consumers" : TENANT_ID,
    ...(site === undefined ? {} : { GRAPH_SITE: siteUrl(site).replace("https://", "") }),
    ...(isPersonal(firstUser) ? {} : { GRAPH_SITE_HOST: directory.hostname }),
    GRAPH_SCRIPTS_HOME: home,
  };
}

function issueToken(state: State, options: TokenOptions = {}): string {
  const { directory } = state.tenant;
  const user = options.as === undefined ? state.firstUser : userNamed(directory, options.as);
  const common = {
    lifeSeconds: options.lifeSeconds ?? state.settings.tokenLifeSeconds,
    challengeTime: 0,
    challengeable: options.challengeable === true,
  };
  if (options.appOnly === true) {
    const scopes = options.scopes ?? state.app.roles;
    return state.tokens.issueAccess({ user: undefined, application: state.app, scopes, ...common });
  }
  const scopes = options.scopes ?? [...state.consented];
  return state.tokens.issueAccess({ user, application: directory.application, scopes, ...common });
}

/** Waits until the time is over or the sandbox closes. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

async function closeAll(
  entrance: Entrance,
  sessions: UploadSessions,
  log: RequestLog,
  folders: readonly string[],
  closing: AbortController,
): Promise<void> {
  closing.abort();
  await entrance.close();
  sessions.close();
  log.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}
