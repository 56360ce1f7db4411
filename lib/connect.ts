/**
 * A signed-in connection: settings, sign-in and clients put together.
 *
 * @module
 */
import { StaticTokenSession } from "./auth/static_token.ts";
import { AppSession } from "./auth/app_session.ts";
import { browserInteraction } from "./auth/browser.ts";
import { CLOUDS } from "./clouds.ts";
import { type AuthSession, UserSession } from "./auth/user_session.ts";
import { type DeviceCode, deviceCodeInteraction, deviceCodeText } from "./auth/device_code.ts";
import { Drives } from "./drive/drives.ts";
import { GraphClient } from "./graph/client.ts";
import { HttpClient, type HttpOptions } from "./http/client.ts";
import { replaceControlCharacters } from "./cli/output.ts";
import { RewrittenFiles } from "./upload/rewritten_files.ts";
import { readSettings, type SettingName, type Settings } from "./settings.ts";
import { StorageClient } from "./graph/storage.ts";
import type { TransferContext } from "./transfer/result.ts";

/** What a connection is for; it asks for the least permissions that suffice. */
export type Access = "identity" | "read" | "write";

/** How to connect. */
export interface ConnectOptions {
  /** @default "read" */
  access?: Access;
  /**
   * Whether files of sites and other people are meant, too, not only the person's own OneDrive.
   * @default true when a default site or drive is set
   */
  beyondOwnDrive?: boolean;
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
  rewritten: RewrittenFiles;
}

/** Delegated permissions: PROTOCOL 13.5. */
export const SCOPES: Record<Access, { own: readonly string[]; beyond: readonly string[] }> = {
  identity: { own: ["User.Read"], beyond: ["User.Read"] },
  read: { own: ["Files.Read"], beyond: ["Files.Read.All", "Sites.Read.All"] },
  write: { own: ["Files.ReadWrite"], beyond: ["Files.ReadWrite.All", "Sites.Read.All"] },
};

/**
 * Connects to Microsoft Graph as the signed-in person. Nothing is sent before the first operation.
 *
 * @throws {GraphError} `usage` for settings that cannot be meant.
 */
export async function connect(options: ConnectOptions = {}): Promise<Connection> {
  const settings = await readSettings(options.settings, options.env);
  const notice = options.notice ?? toStandardError;
  const http = new HttpClient({ ...options.http, ...(options.signal ? { signal: options.signal } : {}) });
  const beyond = options.beyondOwnDrive ?? (settings.site !== undefined || settings.drive !== undefined);
  const scopes = SCOPES[options.access ?? "read"][beyond ? "beyond" : "own"];
  const session = sessionOf(
    settings,
    { scopes, purpose: purposeOf(options.access ?? "read", beyond) },
    http,
    notice,
    options,
  );
  const graph = new GraphClient(http, settings.apiOrigin, session);
  return {
    settings,
    session,
    graph,
    storage: new StorageClient(http, settings.storageHosts),
    drives: new Drives(graph, settings, () => session.accountType()),
    rewritten: new RewrittenFiles(settings.state, http.now),
    account: async () => (await session.facts()).username,
    notice,
  };
}

/** Why these permissions are needed, for the person who is asked for them. */
function purposeOf(access: Access, beyond: boolean): string {
  const where = beyond ? "files of sites and other drives" : "files of your OneDrive";
  return {
    identity: "to show who is signed in",
    read: `to read ${where}`,
    write: `to write ${where}`,
  }[access];
}

function sessionOf(
  settings: Settings,
  asked: { scopes: readonly string[]; purpose: string },
  http: HttpClient,
  notice: (text: string) => void,
  options: ConnectOptions,
): AuthSession {
  if (settings.accessToken !== undefined) return new StaticTokenSession(settings.accessToken);
  const { appCredential: credential, loginOrigin } = settings;
  if (credential) return new AppSession({ settings, credential, http, notice });
  const { showDeviceCode: show } = options;
  if (show === null || (show === undefined && !Deno.stderr.isTerminal())) {
    return new UserSession({ settings, ...asked, http, interact: undefined, notice });
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
  return new UserSession({ settings, ...asked, http, interact, notice });
}

function toStandardError(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}
