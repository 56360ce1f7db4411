/** Device codes (PROTOCOL 13). */

import { randomInt } from "node:crypto";
import type { Settings } from "../options.ts";
import type { Secrets } from "../secrets.ts";
import type { Application, User } from "../tenant/directory.ts";
import { type Decision, declined } from "./approval.ts";
import { type Authority, sameAuthority } from "./authorities.ts";
import type { Claims } from "./claims.ts";
import { EntraError } from "./entra_error.ts";
import type { ScopeRequest } from "./scopes.ts";
import { randomText } from "./tokens.ts";

export interface DeviceCodeRequest {
  readonly authority: Authority;
  readonly client: Application;
  readonly request: ScopeRequest;
  readonly claims: Claims;
}

export interface DeviceCode extends DeviceCodeRequest {
  readonly userCode: string;
  readonly deviceCode: string;
  readonly expires: number;
  decision: Decision;
  /** How many polls remain pending after the approval. */
  pendingPolls: number;
  intervalSeconds: number;
  lastPoll: number | undefined;
  redeemed: boolean;
}

/** Without easily confused letters and digits. */
const USER_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/** Client timers may fire slightly early. */
const EARLY_POLL_TOLERANCE_SECONDS = 0.5;
/** RFC 8628 section 3.5. */
const SLOW_DOWN_SECONDS = 5;

export class DeviceCodes {
  readonly #settings: Settings;
  readonly #secrets: Secrets;
  readonly #codes = new Map<string, DeviceCode>();
  readonly #listeners: ((code: DeviceCode) => void)[] = [];

  constructor(settings: Settings, secrets: Secrets) {
    this.#settings = settings;
    this.#secrets = secrets;
  }

  onIssue(listener: (code: DeviceCode) => void): void {
    this.#listeners.push(listener);
  }

  issue(request: DeviceCodeRequest): DeviceCode {
    const userCode = Array.from({ length: 9 }, () => USER_CODE_ALPHABET[randomInt(USER_CODE_ALPHABET.length)])
      .join("");
    const code: DeviceCode = {
      userCode: this.#secrets.issue(userCode),
      deviceCode: this.#secrets.issue(`KAQABAAEAAAD--${randomText(180)}`),
      ...request,
      expires: Date.now() + this.#settings.deviceCodeLifeSeconds * 1000,
      decision: { kind: "open" },
      pendingPolls: this.#settings.pendingPolls,
      intervalSeconds: this.#settings.pollIntervalSeconds,
      lastPoll: undefined,
      redeemed: false,
    };
    this.#codes.set(code.deviceCode, code);
    for (const listener of this.#listeners) listener(code);
    return code;
  }

  /** The open, unexpired code for a typed one; ignores case, spaces and hyphens. */
  byUserCode(typed: string): DeviceCode | undefined {
    const plain = typed.replaceAll(/[\s-]/g, "").toUpperCase();
    return this.open().find((code) => code.userCode === plain);
  }

  /** Undecided codes, oldest first. */
  open(): DeviceCode[] {
    return [...this.#codes.values()].filter((code) =>
      code.decision.kind === "open" && code.expires > Date.now()
    );
  }

  /** @returns the code and user once it can be redeemed. @throws {EntraError} */
  poll(deviceCode: string, authority: Authority, client: Application): { code: DeviceCode; user: User } {
    const code = this.#codes.get(deviceCode);
    // Polls must use the tenant that issued the code (PROTOCOL 13.2).
    if (code === undefined || code.client !== client || !sameAuthority(code.authority, authority)) {
      throw new EntraError(
        "bad_verification_code",
        70018,
        "The device_code sent to the token endpoint is not known.",
      );
    }
    if (code.expires <= Date.now()) {
      const message =
        "The provided value for the input parameter 'device_code' is not valid. The code has expired.";
      throw new EntraError("expired_token", 70020, message);
    }
    this.#checkPace(code);
    if (code.redeemed) {
      throw new EntraError("invalid_grant", 70000, "The device code was already redeemed.");
    }
    if (code.decision.kind === "declined") {
      throw declined();
    }
    if (code.decision.kind === "open" || code.pendingPolls-- > 0) {
      const message = "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
      throw new EntraError("authorization_pending", 70016, message);
    }
    if (code.decision.kind === "refused") throw code.decision.error;
    return { code, user: code.decision.user };
  }

  #checkPace(code: DeviceCode): void {
    const now = Date.now();
    const elapsedSeconds = code.lastPoll === undefined ? Infinity : (now - code.lastPoll) / 1000;
    code.lastPoll = now;
    if (code.intervalSeconds === 0 || elapsedSeconds >= code.intervalSeconds - EARLY_POLL_TOLERANCE_SECONDS) {
      return;
    }
    code.intervalSeconds += SLOW_DOWN_SECONDS;
    throw new EntraError("slow_down", 70016, "The client polls too fast.");
  }
}
