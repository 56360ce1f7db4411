/**
 * A loopback Microsoft 365: Entra ID, Microsoft Graph and the storage behind it, with real state and scripted faults.
 * It is written from graph-protocol sections 1 to 17, not from the client it serves.
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
import { exchange, type Handler, type RequestRecord, type Surroundings } from "./exchange.ts";
import { type FaultRule, Faults } from "./faults.ts";
import { graphService } from "./graph/mod.ts";
import { Listener, type Respond } from "./http/listener.ts";
import { type FaultName, knownFault, optionsOf } from "./known_faults.ts";
import { DeviceCodes } from "./login/device_codes.ts";
import { loginService } from "./login/mod.ts";
import { Person } from "./login/person.ts";
import { Tokens } from "./login/tokens.ts";
import { meanwhile } from "./meanwhile.ts";
import type { Call, Service } from "./message.ts";
import { type SandboxOptions, settingsFrom } from "./options.ts";
import { RequestLog } from "./request_log.ts";
import { Secrets } from "./secrets.ts";
import type { Origins, State } from "./state.ts";
import { storageService } from "./storage/mod.ts";
import { UploadSessions } from "./storage/upload_sessions.ts";
import { UrlSigner } from "./storage/url_signer.ts";
import { CLIENT_ID, TENANT_ID } from "./tenant/contoso.ts";
import type { User } from "./tenant/directory.ts";
import { Tenant } from "./tenant/tenant.ts";

export type { Answer, Call, Service } from "./message.ts";
export type { FaultRule } from "./faults.ts";
export { type FaultName, knownFault } from "./known_faults.ts";
export type { ItemFacts } from "./tenant/tenant.ts";
export type { Person, RequestRecord, SandboxOptions, Tenant };

/** What {@link Sandbox.issueToken} puts into the token. */
export interface TokenOptions {
  /** @default "adele" */
  as?: User["key"];
  /** Delegated Graph scopes. @default everything consented */
  scopes?: string[];
  /** @default `tokenLifeSeconds` of the sandbox */
  lifeSeconds?: number;
}

/** A running sandbox. */
export interface Sandbox extends AsyncDisposable {
  readonly loginOrigin: string;
  readonly apiOrigin: string;
  readonly storageOrigin: string;
  /** The environment that points the scripts at this sandbox. */
  readonly env: Record<string, string>;
  /** Every request so far, in order of arrival. */
  readonly requests: RequestRecord[];
  /** The fault rules in force. */
  readonly faults: FaultRule[];
  /**
   * Adds rules behind the others, and known faults by their names.
   *
   * @throws {Error} for a fault that only `startSandbox` can make, being an option of it
   */
  addFault(...faults: (FaultRule | FaultName)[]): void;
  /** Drops all rules; what a fault has changed in the tenant's behaviour stays. */
  clearFaults(): void;
  /** The person at the browser. */
  readonly person: Person;
  /** The state of the tenant. */
  readonly tenant: Tenant;
  /** An access token without a sign-in. */
  issueToken(options?: TokenOptions): string;
  /** Lets all access tokens expire now, in the middle of whatever goes on. */
  expireAccessTokens(): void;
  /** Revokes all refresh tokens, as a password reset does: the next renewal is `invalid_grant`. */
  revokeRefreshTokens(): void;
  /** Stops the listeners and deletes everything the sandbox has put on disk. */
  close(): Promise<void>;
}

/** Starts a sandbox on 127.0.0.1. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  options = { ...optionsOf(options.fault ?? []), ...options };
  const folder = await mkdtemp(join(tmpdir(), "graph-sandbox-"));
  const closing = new AbortController();
  const faults = new Faults(options.faults ?? []);
  let log: RequestLog | undefined;
  let listeners: Listener[] = [];
  try {
    const home = join(folder, "home");
    const content = join(folder, "content");
    for (const path of [home, content]) await mkdir(path, { mode: 0o700 });
    const requests = log = new RequestLog(options.logFile);
    // The listeners come first: the state needs their origins. No request can come before this turn ends.
    const services: Partial<Record<Service, Handler>> = {};
    const surroundings: Surroundings = {
      pause: (ms) => pause(ms, closing.signal),
      meanwhile: (what, call) => meanwhile(state, what, call),
    };
    const respond = (call: Call) =>
      requests.record(
        call,
        (record) => exchange(call, record, services[call.service]!, faults, surroundings),
      );
    listeners = openListeners(options.port, respond);
    const [login, graph, storage] = listeners.map((listener) => listener.origin) as [string, string, string];
    const state = newState(options, { login, graph, storage }, content);
    Object.assign(services, servicesOf(state));
    const sandbox = sandboxOf(state, faults, requests, home, options.approve === true);
    for (const name of options.fault ?? []) strike(state, faults, name);
    let closed: Promise<void> | undefined;
    const close = () => closed ??= closeAll(listeners, state.sessions, requests, folder, closing);
    return { ...sandbox, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    log?.close();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Opens all three or none. */
function openListeners(port: number | undefined, respond: Respond): Listener[] {
  const listeners: Listener[] = [];
  try {
    for (const [index, service] of (["login", "graph", "storage"] as const).entries()) {
      listeners.push(new Listener(service, port === undefined ? 0 : port + index, respond));
    }
    return listeners;
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
}

function servicesOf(state: State): Record<Service, Handler> {
  const settled = (service: typeof graphService): Handler => async (call) => {
    await state.tenant.settle();
    return await service(state, call);
  };
  return {
    login: (call) => loginService(state, call),
    graph: settled(graphService),
    storage: settled(storageService),
  };
}

/** Everything of a sandbox that does not concern its listeners. */
function sandboxOf(state: State, faults: Faults, log: RequestLog, home: string, approve: boolean) {
  const { origins, tenant, tokens } = state;
  return {
    loginOrigin: origins.login,
    apiOrigin: origins.graph,
    storageOrigin: origins.storage,
    env: environment(origins, home),
    requests: log.requests,
    faults: faults.rules,
    addFault: (...added: (FaultRule | FaultName)[]) => {
      for (const fault of added) addFault(state, faults, fault);
    },
    clearFaults: () => void faults.rules.splice(0),
    person: new Person(state.deviceCodes, tenant.directory.users, approve ? "approve" : "ignore"),
    tenant,
    issueToken: (options?: TokenOptions) => issueToken(state, options),
    expireAccessTokens: () => tokens.expireAccess(),
    revokeRefreshTokens: () => tokens.revokeRefresh(),
  };
}

/** Puts a known fault into force. */
function strike(state: State, faults: Faults, name: FaultName): void {
  const { rules = () => [], behavior = {} } = knownFault(name);
  faults.rules.push(...rules().map((rule) => ({ name, ...rule })));
  Object.assign(state.tenant.behavior, behavior);
}

function addFault(state: State, faults: Faults, fault: FaultRule | FaultName): void {
  if (typeof fault !== "string") return void faults.rules.push(fault);
  if (knownFault(fault).options) {
    throw new Error(`${fault} is an option: startSandbox({ fault: ["${fault}"] })`);
  }
  strike(state, faults, fault);
}

function newState(options: SandboxOptions, origins: Origins, folder: string): State {
  const settings = settingsFrom(options);
  const secrets = new Secrets();
  const sessions = new UploadSessions(settings.uploadSessionLifeSeconds);
  const tenant = new Tenant(folder, secrets, sessions);
  return {
    settings,
    consented: new Set(settings.consented),
    origins,
    secrets,
    tenant,
    tokens: new Tokens(tenant.directory, origins.login, secrets),
    deviceCodes: new DeviceCodes(settings, secrets),
    signer: new UrlSigner(secrets),
    sessions,
  };
}

function environment(origins: Origins, home: string): Record<string, string> {
  return {
    GRAPH_LOGIN_ORIGIN: origins.login,
    GRAPH_API_ORIGIN: origins.graph,
    GRAPH_STORAGE_HOSTS: new URL(origins.storage).host,
    GRAPH_CLIENT_ID: CLIENT_ID,
    GRAPH_TENANT_ID: TENANT_ID,
    GRAPH_SITE: "contoso.sharepoint.com/sites/TestTeam",
    GRAPH_SITE_HOST: "contoso.sharepoint.com",
    GRAPH_SCRIPTS_HOME: home,
  };
}

function issueToken(state: State, options: TokenOptions = {}): string {
  const user = state.tenant.directory.users.find((user) => user.key === (options.as ?? "adele"))!;
  const scopes = options.scopes ?? [...state.consented];
  return state.tokens.issueAccess(user, scopes, options.lifeSeconds ?? state.settings.tokenLifeSeconds);
}

/** Waits, but not beyond the end of the sandbox. */
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
  listeners: readonly Listener[],
  sessions: UploadSessions,
  log: RequestLog,
  folder: string,
  closing: AbortController,
): Promise<void> {
  closing.abort();
  await Promise.all(listeners.map((listener) => listener.close()));
  sessions.close();
  log.close();
  await rm(folder, { recursive: true, force: true });
}
