/**
 * App-only credentials: a client secret, or a certificate with its private key
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
 *
 * @module
 */
import { usageError } from "../errors.ts";
import { isGuid } from "../guid.ts";
import { readSecretFile } from "./secret_file.ts";
import type { AppCredentialSetting } from "../settings.ts";

/** Credentials as MSAL takes them. */
export type AppCredential =
  | { clientSecret: string }
  | { clientCertificate: { thumbprintSha256: string; privateKey: string; x5c: string } };

/** A certificate with its chain has some KiB. */
const MAX_BYTES = 64 * 1024;
const SECRET_HINT = "put the secret's value, one line, into a file of mode 600";
const CERTIFICATE_HINT = "put the certificate and its private key, both as PEM, into one file of mode 600";
const EXPOSED_HINT =
  "if others may have read it, make a new one in the app registration and delete the old one";

/**
 * Reads the credentials.
 *
 * @param now Milliseconds since 1970.
 * @throws {GraphError} `usage` when they are malformed or have expired; `refused` when others can read the file.
 */
export async function readAppCredential(
  { kind, file, variable }: AppCredentialSetting,
  now: number,
): Promise<AppCredential> {
  const name = `the client ${kind} ${file} (${variable})`;
  const hint = kind === "secret" ? SECRET_HINT : CERTIFICATE_HINT;
  const text = await readSecretFile(file, { name, hint, exposedHint: EXPOSED_HINT, maxBytes: MAX_BYTES });
  const invalid = (why: string, toDo = hint) => usageError(`${name} ${why}`, toDo, "badCredential");
  return kind === "secret" ? parseSecret(text, invalid) : await parseCertificate(text, invalid, now);
}

type Invalid = (why: string, toDo?: string) => Error;

function parseSecret(text: string, invalid: Invalid): AppCredential {
  const value = text.replace(/\r?\n$/, "");
  if (value === "") throw invalid("is empty");
  if (/\s/.test(value)) throw invalid("is not one word");
  if (isGuid(value)) {
    throw invalid(
      "holds an id",
      "copy the column Value, not Secret ID; it is shown only when the secret is made",
    );
  }
  return { clientSecret: value };
}

async function parseCertificate(text: string, invalid: Invalid, now: number): Promise<AppCredential> {
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const [privateKey] = text.match(/-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/) ?? [];
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) {
    throw invalid(
      "has a private key with a pass phrase, which cannot be entered",
      "write the key unencrypted into a file of mode 600: openssl pkcs8 -topk8 -nocrypt -in KEY -out FILE",
    );
  }
  if (certificates.length === 0) throw invalid("holds no certificate in PEM form");
  if (!privateKey) throw invalid("holds no private key in PEM form");
  const { createPrivateKey, X509Certificate } = await import("node:crypto");
  let first: InstanceType<typeof X509Certificate>;
  let key: ReturnType<typeof createPrivateKey>;
  try {
    first = new X509Certificate(certificates[0]!);
    key = createPrivateKey(privateKey);
  } catch {
    throw invalid("holds a certificate or key that cannot be read"); // the cause may quote the key
  }
  if (key.asymmetricKeyType !== "rsa") {
    throw invalid("holds a key that is not RSA, which the service does not accept");
  }
  if (!first.checkPrivateKey(key)) throw invalid("holds a key that does not belong to its certificate");
  const until = Date.parse(first.validTo);
  if (until < now) {
    throw invalid(
      `has expired: it was valid until ${new Date(until).toISOString().slice(0, 10)}`,
      "make a new one, and upload its public part to the app registration: Certificates & secrets",
    );
  }
  const thumbprintSha256 = first.fingerprint256.replaceAll(":", "");
  return { clientCertificate: { thumbprintSha256, privateKey, x5c: certificates.join("\n") } };
}
