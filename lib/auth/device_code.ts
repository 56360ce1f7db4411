/**
 * Sign-in with a code that a person types in a browser, on this or any other machine
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code).
 *
 * @module
 */
import type * as Msal from "@azure/msal-node";
import { interruptedError } from "../abort.ts";
import type { Interaction } from "./interaction.ts";

/** What a person must do to sign in. */
export interface DeviceCode {
  /** The instruction as the service words it. */
  message: string;
  userCode: string;
  verificationUri: string;
  expiresInSeconds: number;
}

/**
 * What a person reads: the service's own words, and the code alone on a line, where it is easily copied.
 *
 * @param now Milliseconds since 1970.
 */
export function deviceCodeText({ message, userCode, expiresInSeconds }: DeviceCode, now: number): string {
  const until = new Date(now + expiresInSeconds * 1000);
  const time = [until.getHours(), until.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
  const minutes = Math.floor(expiresInSeconds / 60);
  const life = minutes < 1
    ? `${Math.round(expiresInSeconds)} seconds`
    : `${minutes} minute${minutes === 1 ? "" : "s"}`;
  return `${message}\nThe code, valid for ${life}, until ${time}:\n${userCode}`;
}

/** Signs in with a device code, which `show` shows to a person. */
export function deviceCodeInteraction(show: (code: DeviceCode) => void): Interaction {
  return async (app, { scopes, claims }, signal) => {
    const request: Msal.DeviceCodeRequest = {
      scopes,
      ...(claims === undefined ? {} : { claims }),
      deviceCodeCallback: ({ message, userCode, verificationUri, expiresIn }) =>
        show({ message, userCode, verificationUri, expiresInSeconds: expiresIn }),
    };
    const ended = Promise.withResolvers<never>();
    const onAbort = () => {
      request.cancel = true; // MSAL sees it at its next poll only, so nobody waits for that
      ended.reject(interruptedError(signal));
    };
    if (signal?.aborted) throw interruptedError(signal);
    signal?.addEventListener("abort", onAbort, { once: true });
    const flow = app.acquireTokenByDeviceCode(request);
    flow.catch(() => {}); // its failure is reported through the race; after an abort nobody asks any more
    try {
      return await Promise.race([flow, ended.promise]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  };
}
