/** Certificates and their keys: self-signed for app-only sign-in and authorities, signed by an authority for servers. */

import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A certificate with its key. */
export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  /** Upper-case hex, as the portal shows it. */
  readonly thumbprint: string;
  /** Upper-case hex. */
  readonly thumbprintSha256: string;
}

/** Options of {@link newCertificate}. */
export interface CertificateOptions {
  /** @default yesterday */
  from?: Date;
  /** @default in a year */
  until?: Date;
  /** The server names and IPv4 addresses that it is for. @default none */
  hosts?: string[];
  /** Who signs it. @default itself */
  issuer?: Certificate;
}

const AUTHORITY = "graph-scripts sandbox";

/** Creates a 2048-bit RSA key and a certificate for it. */
export function newCertificate(options: CertificateOptions = {}): Certificate {
  const { hosts = [], issuer } = options;
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const dayMs = 86_400_000;
  const from = options.from ?? new Date(Date.now() - dayMs);
  const until = options.until ?? new Date(Date.now() + 365 * dayMs);
  const algorithm = sequence(oid("2a864886f70d01010b"), der(0x05, Buffer.alloc(0)));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(0x01, ...randomBytes(15))),
    algorithm,
    commonName(AUTHORITY),
    sequence(time(from), time(until)),
    commonName(hosts[0] ?? AUTHORITY),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(hosts.length > 0 ? subjectAltName(hosts) : CERTIFICATE_AUTHORITY)),
  );
  const bytes = sequence(
    toBeSigned,
    algorithm,
    bits(sign("sha256", toBeSigned, issuer?.privateKey ?? privateKey)),
  );
  const lines = bytes.toString("base64").match(/.{1,64}/g)!.join("\n");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    thumbprint: createHash("sha1").update(bytes).digest("hex").toUpperCase(),
    thumbprintSha256: createHash("sha256").update(bytes).digest("hex").toUpperCase(),
  };
}

/** One DER value: tag, length, content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function commonName(text: string): Buffer {
  return sequence(set(sequence(oid("550403"), der(0x0c, Buffer.from(text)))));
}

/** The critical extension without which OpenSSL trusts no authority. */
const CERTIFICATE_AUTHORITY = sequence(
  oid("551d13"),
  der(0x01, Buffer.of(0xff)),
  der(0x04, sequence(der(0x01, Buffer.of(0xff)))),
);

/** The extension that clients compare with the name of a server. */
function subjectAltName(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    /^[\d.]+$/.test(host) ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host))
  );
  return sequence(oid("551d11"), der(0x04, sequence(...names)));
}

function set(...parts: Buffer[]): Buffer {
  return der(0x31, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function bits(content: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.of(0), content]));
}

/** GeneralizedTime, whole seconds. */
function time(at: Date): Buffer {
  return der(0x18, Buffer.from(`${at.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`));
}
