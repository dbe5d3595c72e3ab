// Timestamps as `openssl ts` gives them, under authorities that are made here.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CONFIG = `
[req]
distinguished_name = name
prompt = no
[name]
CN = Test
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[short]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
[no_ca]
basicConstraints = critical, CA:FALSE
[no_sign]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature
[strange]
basicConstraints = critical, CA:TRUE
1.2.3.4 = critical, ASN1:NULL
[stamper]
extendedKeyUsage = critical, timeStamping
[not_critical]
extendedKeyUsage = timeStamping
[not_alone]
extendedKeyUsage = critical, timeStamping, clientAuth
[tsa]
default_tsa = authority
[authority]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`;
const KEYS = {
  rsa: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  small: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
  p256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p384: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
  p521: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
};

/** A folder with keys, certificates and an authority. */
export class Authority {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "voicelog-tsa-"));
    this.put("config", CONFIG);
    this.put("serial", "01\n");
  }

  close() {
    rmSync(this.folder, { recursive: true, force: true });
  }

  put(name, content) {
    writeFileSync(join(this.folder, name), content);
  }

  get(name) {
    return readFileSync(join(this.folder, name));
  }

  openssl(...words) {
    const { status, stdout, stderr } = spawnSync("openssl", words, { cwd: this.folder });
    if (status !== 0) throw new Error(`openssl ${words.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** A certificate NAME.pem with its key NAME.key, signed by `by` or by itself. */
  certify(name, { key = "p256", by = null, extensions = "root", hash = "sha256", days = 3_650, subject = name } = {}) {
    this.openssl("genpkey", ...KEYS[key], "-out", `${name}.key`);
    const request = ["req", "-new", "-config", "config", "-key", `${name}.key`, "-subj", `/O=Test/CN=${subject}`, `-${hash}`];
    if (by === null) this.openssl(...request, "-x509", "-days", String(days), "-extensions", extensions, "-out", `${name}.pem`);
    else {
      this.openssl(...request, "-out", `${name}.csr`);
      this.openssl("x509", "-req", "-in", `${name}.csr`, "-CA", `${by}.pem`, "-CAkey", `${by}.key`, "-CAcreateserial", "-days", String(days),
        `-${hash}`, "-extfile", "config", "-extensions", extensions, "-out", `${name}.pem`);
    }
    return this.get(`${name}.pem`);
  }

  /** The answer about a text, by a certificate; `chain`: those that come along. */
  stamp(text, signer, { chain = [], hash = "sha256", of = "sha256", ess = "sha256", nonce = true, change = (config) => config } = {}) {
    this.put("text", text);
    this.put("chain.pem", Buffer.concat(chain.map((name) => this.get(`${name}.pem`))));
    this.put("ts.config", change(CONFIG.replace("signer_digest = sha256", `signer_digest = ${hash}`).replace("ess_cert_id_alg = sha256", `ess_cert_id_alg = ${ess}`)));
    this.openssl("ts", "-query", "-data", "text", `-${of}`, "-cert", ...(nonce ? [] : ["-no_nonce"]), "-out", "query");
    this.openssl("ts", "-reply", "-config", "ts.config", "-section", "authority", "-queryfile", "query", "-signer", `${signer}.pem`, "-inkey", `${signer}.key`,
      ...(chain.length > 0 ? ["-chain", "chain.pem"] : []), "-out", "answer");
    return this.get("answer");
  }
}
