/**
 * Microsoft's sign-in library, with its version. It takes longer to load than a whole listing, so that it is loaded only when
 * a token must come from the service.
 *
 * @module
 */
import type * as Msal from "npm:@azure/msal-node@7.2.1";
import { GraphError } from "../errors.ts";

export type {
  AuthenticationResult,
  DeviceCodeRequest,
  PublicClientApplication,
} from "npm:@azure/msal-node@7.2.1";
export type { Msal };

/** Loads it. @throws {GraphError} `failed`, code `notCached`, where it is neither cached nor downloaded. */
export async function loadMsal(): Promise<typeof Msal> {
  try {
    return await import("npm:@azure/msal-node@7.2.1");
  } catch (cause) {
    const why = (cause as Error).message;
    throw new GraphError("failed", `cannot load the sign-in library: ${why}`, { code: "notCached", cause });
  }
}
