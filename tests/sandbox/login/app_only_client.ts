/** The app registration for app-only sign-in, with a secret or a certificate. */

import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import type { Secrets } from "../secrets.ts";
import type { Application } from "../tenant/directory.ts";
import { type Certificate, newCertificate } from "./certificate.ts";
import { EntraError } from "./entra_error.ts";
import { FederatedCredential } from "./federated_credential.ts";
import { randomText } from "./tokens.ts";

/** A certificate accepted for the app's assertions. */
export interface RegisteredCertificate {
  readonly publicKey: KeyObject;
  /** base64url of the certificate's SHA-1 and SHA-256. */
  readonly x5t: string;
  readonly x5tS256: string;
  readonly from: number;
  readonly until: number;
}

/** The app-only registration; tests add credentials and change roles. */
export class AppOnlyClient implements Application {
  readonly id: string;
  readonly displayName = "graph-scripts unattended";
  /** A valid client secret. */
  readonly clientSecret: string;
  /** Consented application permissions; tests may change them. */
  roles: string[];
  /** Trust in the tokens of another platform. */
  readonly federation = new FederatedCredential();
  readonly #secrets: Secrets;
  readonly #clientSecrets = new Map<string, number>();
  readonly #certificates: RegisteredCertificate[] = [];

  constructor(id: string, roles: readonly string[], secrets: Secrets) {
    this.id = id;
    this.roles = [...roles];
    this.#secrets = secrets;
    this.clientSecret = this.addSecret();
  }

  /** The client id, under its name in the settings. */
  get clientId(): string {
    return this.id;
  }

  /** Adds a client secret; a negative lifetime makes an expired one. @default two years */
  addSecret(lifeSeconds = 63_072_000): string {
    const secret = this.#secrets.issue(`${randomText(3)}8Q~${randomText(34)}`);
    this.#clientSecrets.set(secret, Date.now() + lifeSeconds * 1000);
    return secret;
  }

  /** Registers a certificate (PEM). @throws when it is not a certificate */
  addCertificate(pem: string): void {
    const certificate = new X509Certificate(pem);
    const thumbprint = (hash: string) =>
      createHash(hash).update(certificate.raw).digest().toString("base64url");
    this.#certificates.push({
      publicKey: certificate.publicKey,
      x5t: thumbprint("sha1"),
      x5tS256: thumbprint("sha256"),
      from: Date.parse(certificate.validFrom),
      until: Date.parse(certificate.validTo),
    });
  }

  /** Creates a certificate and registers it. */
  newCertificate(valid: { from?: Date; until?: Date } = {}): Certificate {
    const certificate = newCertificate(valid);
    this.addCertificate(certificate.certificate);
    return certificate;
  }

  /** A token of another platform that the app trusts, or not, with other claims. */
  newFederatedToken(claims?: Record<string, unknown>): string {
    return this.#secrets.issue(this.federation.newToken(claims));
  }

  /** The registered certificate with one of these thumbprints (base64url). */
  certificate(x5t: unknown, x5tS256: unknown): RegisteredCertificate | undefined {
    return this.#certificates.find((stored) =>
      typeof x5tS256 === "string" ? stored.x5tS256 === x5tS256 : stored.x5t === x5t
    );
  }

  /** @throws {EntraError} 7000215 for a wrong secret, 7000222 for an expired one */
  checkSecret(secret: string): void {
    const expires = this.#clientSecrets.get(secret);
    if (expires === undefined) {
      const message = "Invalid client secret provided. Ensure the secret being sent in the request is the " +
        `client secret value, not the client secret ID, for a secret added to app '${this.id}'.`;
      throw new EntraError("invalid_client", 7000215, message, { status: 401 });
    }
    if (expires <= Date.now()) {
      const message = `The provided client secret keys for app '${this.id}' are expired. Visit the Azure ` +
        "portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using " +
        "certificate credentials for added security: https://aka.ms/certCreds.";
      throw new EntraError("invalid_client", 7000222, message, { status: 401 });
    }
  }
}
