/**
 * Sign-in with a code that the user types in a browser, on this or any other machine
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code).
 *
 * @module
 */
import type { DeviceCodeRequest } from "./msal.ts";
import { type Interaction, unlessAborted } from "./session.ts";
import { throwIfAborted } from "../abort.ts";

/** What the user needs in order to sign in. */
export interface DeviceCode {
  /** The instruction in the words of the service. */
  message: string;
  userCode: string;
  verificationUri: string;
  expiresInSeconds: number;
}

/**
 * The text to show: the instruction of the service, and the code on a line of its own, where it is easily copied.
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

/** Signs in with a device code, which `show` presents to the user. */
export function deviceCodeInteraction(show: (code: DeviceCode) => void): Interaction {
  return async (app, { scopes, claims }, signal) => {
    throwIfAborted(signal);
    const request: DeviceCodeRequest = {
      scopes,
      ...(claims === undefined ? {} : { claims }),
      deviceCodeCallback: ({ message, userCode, verificationUri, expiresIn }) =>
        show({ message, userCode, verificationUri, expiresInSeconds: expiresIn }),
    };
    const stopPolling = () => request.cancel = true; // takes effect at the next poll only
    signal?.addEventListener("abort", stopPolling, { once: true });
    try {
      return await unlessAborted(app.acquireTokenByDeviceCode(request), signal);
    } finally {
      signal?.removeEventListener("abort", stopPolling);
    }
  };
}
