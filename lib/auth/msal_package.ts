/**
 * Microsoft's sign-in library, with its version. It takes longer to load than a whole listing, so that it is loaded only when a
 * token must come from the service.
 *
 * @module
 */
export type {
  AuthenticationResult,
  DeviceCodeRequest,
  PublicClientApplication,
} from "npm:@azure/msal-node@7.2.1";
export type * as Msal from "npm:@azure/msal-node@7.2.1";

/** Loads it. */
export const loadMsal = () => import("npm:@azure/msal-node@7.2.1");
