/**
 * Secrets in files: the key of the token cache, and the app-only credentials, a client secret or a certificate with its
 * private key (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
 *
 * @module
 */
import { GraphError, usageError } from "../errors.ts";
import { isGuid } from "../json.ts";
import { shellQuoted } from "../local/private_file.ts";
import type { AppCredentialSetting } from "../settings.ts";

/** Credentials as MSAL takes them. */
export type AppCredential =
  | { clientSecret: string }
  | { clientCertificate: { thumbprintSha256: string; privateKey: string; x5c: string } };

/** A certificate with its chain has some KiB. */
const MAX_BYTES = 64 * 1024;
/** A pipe can be read once, but a renewal hours later may need its secret again. */
const piped = new Map<string, string>();

/**
 * Reads a secret; that of a pipe is remembered. Symlinks are followed, since containers provide secrets as symlinks. The
 * secret is never part of an error.
 *
 * @param options What the file is, with its path and setting; what to do about a wrong file, or an exposed one.
 */
export async function readSecret(
  path: string,
  { name, hint, exposedHint }: { name: string; hint: string; exposedHint: string },
): Promise<string> {
  const invalid = (why: string, code = "badKey") => usageError(`${name} ${why}`, hint, code);
  try {
    using file = await Deno.open(path);
    const { mode, isFile, isFifo } = await file.stat();
    if (!isFile && !isFifo) throw invalid("is not a file");
    if (Deno.build.os !== "windows" && mode !== null && (mode & 0o077) !== 0) {
      throw new GraphError("refused", `${name} can be read by other users of this machine`, {
        code: "exposedKey",
        hint: `fix it with: chmod 600 ${shellQuoted(path)}; ${exposedHint}`,
      });
    }
    const bytes = await readStart(file, MAX_BYTES + 1); // a pipe cannot be read by position, and has no size
    if (bytes.length > MAX_BYTES) throw invalid("is too long for what it should be");
    const text = new TextDecoder().decode(bytes);
    if (text.includes("\ufffd")) throw invalid("is not text");
    if (isFifo && text !== "") piped.set(path, text);
    return isFifo ? piped.get(path) ?? "" : text;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw invalid("does not exist", "noKeyFile");
    if (error instanceof Deno.errors.NotCapable && /^\/(dev|proc)\//.test(path)) {
      throw usageError(
        `${name} cannot be opened: Deno opens an inherited descriptor only if it is a pipe`,
        "use the output of a command, <(COMMAND), or the path of the file itself",
        "badKey",
      );
    }
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    const details = { code: "keyFileDenied", hint: "check its owner and mode with: ls -l", cause: error };
    throw new GraphError("refused", `${name} cannot be read: permission denied`, details);
  }
}

async function readStart(file: Deno.FsFile, maxBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(maxBytes);
  let length = 0;
  while (length < maxBytes) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

/** Reads the app-only credentials, and checks what the service would check; `now` is in milliseconds since 1970. */
export async function readAppCredential(
  { kind, file, variable }: AppCredentialSetting,
  now: number,
): Promise<AppCredential> {
  const name = `the client ${kind} ${file} (${variable})`;
  const hint = kind === "secret"
    ? "put the secret's value, one line, into a file of mode 600"
    : "put the certificate and its private key, both as PEM, into one file of mode 600";
  const exposedHint =
    "if others may have read it, make a new one in the app registration and delete the old one";
  const text = await readSecret(file, { name, hint, exposedHint });
  const invalid = (why: string, toDo = hint) => usageError(`${name} ${why}`, toDo, "badCredential");
  return kind === "secret" ? parseSecret(text, invalid) : await parseCertificate(text, invalid, now);
}

type Invalid = (why: string, toDo?: string) => GraphError;

function parseSecret(text: string, invalid: Invalid): AppCredential {
  const value = text.replace(/\r?\n$/, "");
  if (value === "") throw invalid("is empty");
  if (/\s/.test(value)) throw invalid("is not one word");
  if (!isGuid(value)) return { clientSecret: value };
  const toDo = "copy the column Value, not Secret ID; it is shown only when the secret is made";
  throw invalid("holds an id", toDo);
}

async function parseCertificate(text: string, invalid: Invalid, now: number): Promise<AppCredential> {
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const [privateKey] = text.match(/-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/) ?? [];
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) {
    const toDo =
      "write the key unencrypted into a file of mode 600: openssl pkcs8 -topk8 -nocrypt -in KEY -out FILE";
    throw invalid("has a private key with a pass phrase, which cannot be entered", toDo);
  }
  if (certificates.length === 0) throw invalid("holds no certificate in PEM form");
  if (!privateKey) throw invalid("holds no private key in PEM form");
  const { createPrivateKey, X509Certificate } = await import("node:crypto");
  const parse = <T>(read: () => T): T => {
    try {
      return read();
    } catch {
      throw invalid("holds a certificate or key that cannot be read"); // the cause may quote the key
    }
  };
  const first = parse(() => new X509Certificate(certificates[0]!));
  const key = parse(() => createPrivateKey(privateKey));
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
