/** A self-signed certificate and its key, for app-only sign-in. */

import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

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

/** Creates a 2048-bit RSA key and a certificate for it. @default valid from yesterday for a year */
export function newCertificate(valid: { from?: Date; until?: Date } = {}): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const dayMs = 86_400_000;
  const from = valid.from ?? new Date(Date.now() - dayMs);
  const until = valid.until ?? new Date(Date.now() + 365 * dayMs);
  const name = sequence(set(sequence(oid("550403"), der(0x0c, Buffer.from("graph-scripts sandbox")))));
  const algorithm = sequence(oid("2a864886f70d01010b"), der(0x05, Buffer.alloc(0)));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(0x01, ...randomBytes(15))),
    algorithm,
    name,
    sequence(time(from), time(until)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const bytes = sequence(toBeSigned, algorithm, bits(sign("sha256", toBeSigned, privateKey)));
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
