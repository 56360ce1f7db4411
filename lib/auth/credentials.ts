/**
 * Secrets in files: the key of the token cache, and the app-only credentials, a client secret, a certificate with its
 * private key, or a token of another issuer that the app trusts (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
 *
 * @module
 */
import { GraphError, usageError } from "../errors.ts";
import { ifExists } from "../local/local_file.ts";
import { shellQuoted } from "../local/private_file.ts";
import type { AppCredentialSetting } from "../app_settings.ts";

/** Credentials as MSAL takes them. */
export type AppCredential =
  | { clientSecret: string }
  | { clientAssertion: string }
  | { clientCertificate: { thumbprintSha256: string; privateKey: string; x5c: string } };

/**
 * Reads a secret from a file or a pipe; `name` and `hint` are for errors, which never show the secret. Symlinks are
 * followed, since containers provide secrets as symlinks. Others must not be able to read it, unless it `isShared`.
 */
export async function readSecret(
  path: string,
  { name, hint, isShared = false }: { name: string; hint: string; isShared?: boolean },
): Promise<string> {
  using file = await ifExists(Deno.open(path));
  if (!file) throw usageError(`${name} does not exist`, hint, "noKeyFile");
  const { mode, isFile, isFifo } = await file.stat();
  if (!isFile && !isFifo) throw usageError(`${name} is not a file`, hint, "badKey");
  if (Deno.build.os !== "windows" && mode !== null && (mode & 0o077) !== 0 && !isShared) {
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
  { kind, variable, file, text }: AppCredentialSetting,
): Promise<AppCredential> {
  const { what, hint, parse } = KINDS[kind];
  const name = file ? `the ${kind} file ${file} (${variable})` : variable;
  const isShared = kind === "federated token"; // it is short-lived, and Kubernetes lets others read it
  const credential = await parse(file ? await readSecret(file, { name, hint, isShared }) : text ?? "");
  if (credential) return credential;
  throw usageError(`${name} holds no ${what}`, hint, "badCredential");
}

const KINDS = {
  secret: {
    what: "secret",
    hint: "put the secret's value, one line, into a file of mode 600, or into a masked variable of the job",
    parse: (text: string) => /^\S+\s*$/.test(text) ? { clientSecret: text.trimEnd() } : undefined,
  },
  certificate: {
    what: "RSA certificate with its own private key",
    hint:
      "put the certificate and its private key, without pass phrase, both as PEM, into one file of mode 600",
    parse: parseCertificate,
  },
  "federated token": {
    what: "token",
    hint: "the platform that runs the job must write the token that it issues for it there",
    parse: (text: string) =>
      /^[\w-]+(\.[\w-]+){2}\s*$/.test(text) ? { clientAssertion: text.trimEnd() } : undefined,
  },
} as const;

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
