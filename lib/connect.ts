/**
 * A signed-in connection: settings, sign-in and clients put together.
 *
 * @module
 */
import { openAppSession } from "./auth/app_session.ts";
import {
  browserInteraction,
  type DeviceCode,
  deviceCodeInteraction,
  type Interaction,
} from "./auth/interaction.ts";
import { type Access, type AuthSession, openStaticTokenSession } from "./auth/session.ts";
import { UserSession } from "./auth/user_session.ts";
import { Drives } from "./drive/drives.ts";
import { PlaceMemory } from "./drive/place_memory.ts";
import { GraphClient } from "./graph/client.ts";
import { StorageClient } from "./graph/storage.ts";
import { HttpClient, type HttpOptions } from "./http/client.ts";
import { readSettings, type SettingName, type Settings } from "./settings.ts";
import { join } from "./std.ts";
import type { TransferContext } from "./transfer/result.ts";

/** How to connect. Without callbacks nothing is printed, and a missing sign-in is an error. */
export interface ConnectOptions {
  /** Settings that win over environment and config file. */
  settings?: Partial<Record<SettingName, string>>;
  /** Reads an environment variable. @default `Deno.env.get` */
  env?: (name: string) => string | undefined;
  /** Whether files will be changed. @default "read" */
  access?: Access;
  /** Shows a device code to the user. @default none: a missing sign-in is an error */
  showDeviceCode?: (code: DeviceCode) => void;
  /** Shows the address to sign in at, with `signIn: "browser"`. @default none: a missing sign-in is an error */
  showAddress?: (address: string) => void;
  /** Called with what the user should know, but no result says. @default none */
  notice?: (text: string) => void;
  /** Called with each step of finding a site, drive or channel. @default none */
  explain?: (text: string) => void;
  /** Ends everything that the connection does. */
  signal?: AbortSignal;
  /**
   * Clock, limits and tracing of the transport.
   *
   * @internal
   */
  http?: Omit<HttpOptions, "signal">;
}

/** A connection, to pass to the other functions. */
export interface Connection extends TransferContext {
  /** @internal */
  settings: Settings;
  /** @internal */
  session: AuthSession;
}

/**
 * Connects to Microsoft Graph. Nothing is sent before the first operation.
 *
 * @throws {GraphError} `usage` for invalid settings.
 */
export async function connect(options: ConnectOptions = {}): Promise<Connection> {
  return openConnection(await readSettings(options.settings, options.env), options);
}

/** As {@linkcode connect}, with settings that have been read. */
export function openConnection(
  settings: Settings,
  options: Omit<ConnectOptions, "settings" | "env">,
): Connection {
  const { notice = () => {}, signal } = options;
  const http = new HttpClient({ ...options.http, ...(signal ? { signal } : {}) });
  const session = openSession(settings, http, { ...options, notice });
  const graph = new GraphClient(http, settings.apiOrigin, session);
  const memory = settings.accessToken !== undefined ? undefined : new PlaceMemory({
    path: join(settings.state, "places.json"),
    now: http.now,
    async owner() {
      const { tenantId, username, app } = await session.info();
      return [settings.apiOrigin, tenantId, username ?? app].join(" ");
    },
  });
  return {
    settings,
    session,
    graph,
    storage: new StorageClient(http, settings.storageHosts),
    drives: new Drives({ graph, settings, session, memory, explain: options.explain }),
    account: async () => (await session.info()).username,
    notice,
  };
}

function openSession(
  settings: Settings,
  http: HttpClient,
  options: ConnectOptions & { notice: (text: string) => void },
): AuthSession {
  const { accessToken, appCredential: credential } = settings;
  const { access = "read", notice } = options;
  if (accessToken !== undefined) return openStaticTokenSession(accessToken);
  if (credential) return openAppSession({ settings, http, notice }, credential);
  return new UserSession({ settings, access, http, interact: interaction(settings, options), notice });
}

/** How the user signs in; `undefined` without a callback for it. */
function interaction(
  settings: Settings,
  { showAddress, showDeviceCode }: ConnectOptions,
): Interaction | undefined {
  if (settings.signIn === "device") return showDeviceCode && deviceCodeInteraction(showDeviceCode);
  return showAddress && browserInteraction(showAddress, settings);
}
