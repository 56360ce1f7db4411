/**
 * What a sign-in needs a person for.
 *
 * @module
 */
import type * as Msal from "@azure/msal-node";

/** What is asked for. */
export interface InteractionRequest {
  /** As the service of the cloud names them. */
  scopes: string[];
  /** What the service demands of the new token. */
  claims?: string | undefined;
  /** User name of the account that is meant, where it is known. */
  loginHint?: string | undefined;
}

/**
 * Lets a person sign in.
 *
 * @throws what MSAL throws; {@linkcode GraphError} `interrupted` as soon as the signal is aborted.
 */
export type Interaction = (
  app: Msal.PublicClientApplication,
  request: InteractionRequest,
  signal: AbortSignal | undefined,
) => Promise<Msal.AuthenticationResult | null>;
