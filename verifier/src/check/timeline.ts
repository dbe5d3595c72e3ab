// Step 6: the timeline follows from the original.

import { hex, utf8 } from "../base/bytes";
import { writeJson, type Json } from "../base/json";
import { sha256 } from "../base/sha256";
import type { Computed } from "../timeline/timeline";
import type { Bundle } from "./bundle";
import { MANIFEST, TIMELINE } from "./list";
import type { Manifest } from "./manifest";
import type { Findings } from "./report";

export function timelineBytes(computed: Computed): Uint8Array {
  return utf8(writeJson(computed.timeline as unknown as Json));
}

export async function checkTimeline(bundle: Bundle, manifest: Manifest, computed: Computed, findings: Findings): Promise<void> {
  const bytes = timelineBytes(computed);
  if (!bundle.has(TIMELINE)) findings.broken("Timeline", TIMELINE, "missing");
  else if (bundle.sha256(TIMELINE) === hex(sha256(bytes))) findings.ok("Timeline", TIMELINE);
  else findings.broken("Timeline", TIMELINE, "does_not_follow");
  const { timeline } = computed;
  const stated = bundle.sha256(TIMELINE);
  const isSame =
    stated === hex(manifest.timeline_sha256) && timeline.call_started === manifest.call_started &&
    timeline.call_ended === manifest.call_ended && timeline.verdict === manifest.verdict;
  if (!isSame && stated !== null) findings.broken("Timeline", MANIFEST, "states_other");
}
