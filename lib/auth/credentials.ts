/**
 * Secrets in files: the key of the token cache, and the app-only credentials, a client secret or a certificate with its
 * private key (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
 *
 * @module
 */
import { GraphError, usageError } from "../errors.ts";
import { ifExists } from "../local/local_file.ts";
import { shellQuoted } from "../local/private_file.ts";
import type { AppCredentialSetting } from "../settings.ts";

/** Credentials as MSAL takes them. */
export type AppCredential =
  | { clientSecret: string }
  | { clientCertificate: { thumbprintSha256: string; privateKey: string; x5c: string } };

/**
 * Reads a secret from a file or a pipe; `name` and `hint` are for errors, which never show the secret. Symlinks are
 * followed, since containers provide secrets as symlinks.
 */
export async function readSecret(
  path: string,
  { name, hint }: { name: string; hint: string },
): Promise<string> {
  using file = await ifExists(Deno.open(path));
  if (!file) throw usageError(`${name} does not exist`, hint, "noKeyFile");
  const { mode, isFile, isFifo } = await file.stat();
  if (!isFile && !isFifo) throw usageError(`${name} is not a file`, hint, "badKey");
  if (Deno.build.os !== "windows" && mode !== null && (mode & 0o077) !== 0) {
    throw new GraphError("refused", `${name} can be read by other users of this machine`, {
      code: "exposedKey",
      hint: `fix it with: chmod 600 ${
        shellQuoted(path)
      }; if others may have read it, replace it by a new one`,
    });
  }
  return await new Response(file.readable).text(); // a pipe has no size
}

export async function readAppCredential(
  { kind, file, variable }: AppCredentialSetting,
): Promise<AppCredential> {
  const name = `the client ${kind} ${file} (${variable})`;
  const hint = kind === "secret"
    ? "put the secret's value, one line, into a file of mode 600"
    : "put the certificate and its private key, without pass phrase, both as PEM, into one file of mode 600";
  const text = await readSecret(file, { name, hint });
  const credential = kind === "secret" ? parseSecret(text) : await parseCertificate(text);
  if (credential) return credential;
  const what = kind === "secret" ? "secret" : "RSA certificate with its own private key";
  throw usageError(`${name} holds no ${what}`, hint, "badCredential");
}

function parseSecret(text: string): AppCredential | undefined {
  const clientSecret = text.replace(/\r?\n$/, "");
  return /^\S+$/.test(clientSecret) ? { clientSecret } : undefined;
}

async function parseCertificate(text: string): Promise<AppCredential | undefined> {
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const [privateKey] = text.match(/-----BEGIN ((?:RSA )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/) ?? [];
  if (!certificates[0] || !privateKey) return undefined;
  const { createPrivateKey, X509Certificate } = await import("node:crypto");
  try {
    const [certificate, key] = [new X509Certificate(certificates[0]), createPrivateKey(privateKey)];
    if (key.asymmetricKeyType !== "rsa" || !certificate.checkPrivateKey(key)) return undefined;
    const thumbprintSha256 = certificate.fingerprint256.replaceAll(":", "");
    return { clientCertificate: { thumbprintSha256, privateKey, x5c: certificates.join("\n") } };
  } catch {
    return undefined; // the error may quote the key
  }
}
