/**
 * How an app proves that it is itself, without a person: a client secret, or a certificate with its private key
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
 *
 * @module
 */
import { usageError } from "../errors.ts";
import { readSecretFile } from "./secret_file.ts";

/** Where the credentials are. The values are never part of an output or error. */
export type AppCredentialSetting = { kind: "secret" | "certificate"; file: string; variable: string };

/** As MSAL takes them. */
export type AppCredential =
  | { clientSecret: string }
  | { clientCertificate: { thumbprintSha256: string; privateKey: string; x5c: string } };

/** A certificate with its chain has some KiB. */
const MAX_BYTES = 64 * 1024;
const SECRET_HINT = "put the secret's value, one line, into a file of mode 600";
const CERTIFICATE_HINT = "put the certificate and its private key, both as PEM, into one file of mode 600";
const EXPOSED_HINT = "if others may have read it, make a new one in the app registration and delete the old";

/**
 * Reads the credentials.
 *
 * @param now Milliseconds since 1970.
 * @throws {GraphError} `usage` when they are none, or are no longer valid; `refused` when others can read the file.
 */
export async function readAppCredential(
  { kind, file, variable }: AppCredentialSetting,
  now: number,
): Promise<AppCredential> {
  const what = kind === "secret" ? "client secret" : "client certificate";
  const name = `the ${what} ${file} (${variable})`;
  const hint = kind === "secret" ? SECRET_HINT : CERTIFICATE_HINT;
  const text = await readSecretFile(file, { name, hint, exposedHint: EXPOSED_HINT, mostBytes: MAX_BYTES });
  return kind === "secret" ? secret(text, name) : await certificate(text, name, now);
}

function secret(text: string, name: string): AppCredential {
  const value = text.replace(/\r?\n$/, "");
  if (value === "") throw usageError(`${name} is empty`, SECRET_HINT, "badCredential");
  if (/\s/.test(value)) throw usageError(`${name} is not one word`, SECRET_HINT, "badCredential");
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) {
    throw usageError(
      `${name} holds an id`,
      "copy the column Value, not Secret ID; it is shown only when the secret is made",
      "badCredential",
    );
  }
  return { clientSecret: value };
}

async function certificate(text: string, name: string, now: number): Promise<AppCredential> {
  const bad = (why: string, hint = CERTIFICATE_HINT) => usageError(`${name} ${why}`, hint, "badCredential");
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const [privateKey] = text.match(/-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/) ?? [];
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) {
    throw bad(
      "has a private key with a pass phrase, which nobody could type",
      "write the key in clear into a file of mode 600: openssl pkcs8 -topk8 -nocrypt -in KEY -out FILE",
    );
  }
  if (certificates.length === 0) throw bad("holds no certificate in PEM form");
  if (!privateKey) throw bad("holds no private key in PEM form");
  const { createPrivateKey, X509Certificate } = await import("node:crypto");
  let first: InstanceType<typeof X509Certificate>;
  let key: ReturnType<typeof createPrivateKey>;
  try {
    first = new X509Certificate(certificates[0]!);
    key = createPrivateKey(privateKey);
  } catch {
    throw bad("holds a certificate or key that cannot be read"); // the reason may quote the key
  }
  if (key.asymmetricKeyType !== "rsa") {
    throw bad("holds a key that is not RSA, which the service does not take");
  }
  if (!first.checkPrivateKey(key)) throw bad("holds a key that is not that of its certificate");
  const until = Date.parse(first.validTo);
  if (until < now) {
    throw bad(
      `has expired: it was valid until ${new Date(until).toISOString().slice(0, 10)}`,
      "make a new one, and upload its public part to the app registration: Certificates & secrets",
    );
  }
  const thumbprintSha256 = first.fingerprint256.replaceAll(":", "");
  return { clientCertificate: { thumbprintSha256, privateKey, x5c: certificates.join("\n") } };
}
