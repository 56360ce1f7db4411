/**
 * MSAL's errors in the words of the toolkit.
 *
 * @module
 */
import { toSignInError } from "./aadsts.ts";
import { notSignedInError } from "./accounts.ts";
import { unwrapMsalError } from "./msal_network.ts";
import { commandName } from "../cli/hints.ts";
import { GraphError } from "../errors.ts";
import { redact } from "../http/redact.ts";

/** Calls MSAL and turns its errors into ours. */
export async function callMsal<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const explained = unwrapMsalError(error);
    if (explained) throw explained;
    const code = error instanceof Error && "errorCode" in error ? String(error.errorCode) : undefined;
    if (code === undefined) throw error;
    if (code === "no_tokens_found" || code === "no_account_in_silent_request") throw notSignedInError();
    if (code === "device_code_expired" || code === "user_timeout_reached") {
      throw new GraphError("signInNeeded", "sign-in: the code expired before anybody approved it", {
        code: "expired_token",
        hint: `start again with: ${
          commandName("whoami")
        }; if the browser showed 53003, a policy forbids device codes: ask your administrator`,
      });
    }
    const { message } = error as Error;
    // What the service has told the browser comes back through the redirect.
    if (/AADSTS\d+/.test(message) || code === "access_denied") {
      throw toSignInError({ error: code, error_description: message });
    }
    throw new GraphError("failed", `sign-in: ${redact(message)}`, {
      code,
      hint: "run the same command with --verbose",
      cause: error,
    });
  }
}
