// What the core gives to the page, to the runner for Node and to the tests.

export { verifyBundle, isBundle } from "./check/verify";
export { conclusionOf } from "./check/conclusion";
export { verifyCertificate, isCertificate } from "./check/certificate";
export { readKey, fingerprint, areSameKey } from "./log/note";
export { readPolicy } from "./log/policy";
export { readCertificates } from "./pki/certificate";
export { checkStamp } from "./pki/stamp";
export { vconPayload } from "./vcon/vcon";
export { readReceipt } from "./check/receipt";
export { isInOgg, renderingOf } from "./check/rendering";
export { readProof } from "./log/proof";
export { completenessBytes } from "./check/completeness";
export { readManifest } from "./check/manifest";
export { timelineBytes } from "./check/timeline";
export { allForm, mixed, sideBySide, wavHeader } from "./sound/wav";
export { writeSpans } from "./sound/spans";
export { OriginalFile, readEvents } from "./journal/original";
export { treeOf } from "./journal/tree";
export { computeTimeline } from "./timeline/timeline";
export { writeJson, readJson } from "./base/json";
export { sha256, Hmac, Hkdf } from "./base/sha256";
export { sha512 } from "./base/sha512";
export { verifyEd25519 } from "./base/ed25519";
export { crc32 } from "./base/digest";
export { TreeRoot, nodeHash, includes } from "./log/merkle";
export { timeText } from "./base/words";
export { serve } from "./page/serve";
