/**
 * A signed-in connection: settings, sign-in and clients put together.
 *
 * @module
 */
import { StaticTokenSession } from "./auth/static_token.ts";
import { AppSession } from "./auth/app_session.ts";
import { browserInteraction } from "./auth/browser.ts";
import type { Access } from "./auth/scopes.ts";
import { CLOUDS } from "./clouds.ts";
import type { AuthSession } from "./auth/session.ts";
import { UserSession } from "./auth/user_session.ts";
import { type DeviceCode, deviceCodeInteraction, deviceCodeText } from "./auth/device_code.ts";
import { Drives } from "./drive/drives.ts";
import { GraphClient } from "./graph/client.ts";
import { HttpClient, type HttpOptions } from "./http/client.ts";
import { replaceControlCharacters } from "./cli/output.ts";
import { readSettings, type SettingName, type Settings } from "./settings.ts";
import { StorageClient } from "./graph/storage.ts";
import type { TransferContext } from "./transfer/result.ts";

/** How to connect. */
export interface ConnectOptions {
  /** @default "read" */
  access?: Access;
  /** Settings that win over environment and config file. */
  settings?: Partial<Record<SettingName, string>>;
  /** Reads an environment variable. @default `Deno.env.get` */
  env?: (name: string) => string | undefined;
  /**
   * Shows a device code to a person. `null`: never ask anybody; a missing sign-in is an error then.
   * @default on a terminal, the service's instruction on standard error
   */
  showDeviceCode?: ((code: DeviceCode) => void) | null;
  /** Shows the address at which a person signs in, with `signIn: "browser"`. @default on standard error */
  showAddress?: (address: string) => void;
  /** Told what a person should know. @default standard error */
  notice?: (text: string) => void;
  /** Ends everything that the connection does. */
  signal?: AbortSignal;
  /** Clock, waiting, limits and tracing of the transport. */
  http?: Omit<HttpOptions, "signal">;
}

/** What the operations work with. */
export interface Connection extends TransferContext {
  settings: Settings;
  session: AuthSession;
}

/**
 * Connects to Microsoft Graph as the signed-in person. Nothing is sent before the first operation.
 *
 * @throws {GraphError} `usage` for settings that cannot be meant.
 */
export async function connect(options: ConnectOptions = {}): Promise<Connection> {
  const settings = await readSettings(options.settings, options.env);
  const notice = options.notice ?? toStandardError;
  const http = new HttpClient({ ...options.http, ...(options.signal ? { signal: options.signal } : {}) });
  const session = sessionOf(settings, http, notice, options);
  const graph = new GraphClient(http, settings.apiOrigin, session);
  return {
    settings,
    session,
    graph,
    storage: new StorageClient(http, settings.storageHosts),
    drives: new Drives(graph, settings, session),
    account: async () => (await session.info()).username,
    notice,
  };
}

function sessionOf(
  settings: Settings,
  http: HttpClient,
  notice: (text: string) => void,
  options: ConnectOptions,
): AuthSession {
  if (settings.accessToken !== undefined) return new StaticTokenSession(settings.accessToken);
  const { appCredential: credential, loginOrigin } = settings;
  if (credential) return new AppSession({ settings, credential, http, notice });
  const { access = "read", showDeviceCode: show } = options;
  if (show === null || (show === undefined && !Deno.stderr.isTerminal())) {
    return new UserSession({ settings, access, http, interact: undefined, notice });
  }
  const knownOrigin = CLOUDS[settings.cloud].loginOrigin;
  const showAddress = options.showAddress ??
    ((address) => toStandardError(`To sign in, open this address in a browser of this machine: ${address}`));
  const interact = settings.signIn === "browser"
    ? browserInteraction({ show: showAddress, knownOrigin, loginOrigin })
    : deviceCodeInteraction(
      show ??
        ((code) =>
          toStandardError(
            deviceCodeText(code, http.now()).split("\n").map(replaceControlCharacters).join("\n"),
          )),
    );
  return new UserSession({ settings, access, http, interact, notice });
}

function toStandardError(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}
